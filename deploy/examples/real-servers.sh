#!/bin/bash
# Real servers for Evenkeel to watch: nginx, redis-server, PostgreSQL, Dovecot,
# BIND or Unbound, OpenSSH and Prometheus, as Debian ships them, each thrown
# away afterwards. Nothing is installed, nothing listens beyond loopback.
#
#   real-servers.sh                          start all that are installed, let the hub watch
#                                            them, kill and restart each, say what the page says
#   real-servers.sh run SERVER DIR PORT...   one server in the foreground, its files in DIR
#   real-servers.sh list                     the servers, with how many ports each takes
#
# EVENKEEL names the program of the hub (default: evenkeel).
set -euo pipefail

root() { [ "$(id -u)" = 0 ]; }
have() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" >/dev/null 2>&1; }
need() { have "$1" || { echo "SKIP: $1 is not installed" >&2; exit 77; }; }
PATH=$PATH:/usr/sbin:/usr/local/sbin

# A certificate for localhost, valid for 90 days.
certificate() {
  [ -s "$1/cert.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$1/key.pem" -out "$1/cert.pem" >/dev/null 2>&1
  chmod 600 "$1/key.pem"
}

run_nginx() { # DIR HTTP HTTPS
  need nginx; need openssl; certificate "$1"
  cat > "$1/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $1/nginx.pid;
error_log stderr;
$(root && echo "user root;")
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $1/body;
  proxy_temp_path $1/proxy;
  fastcgi_temp_path $1/fastcgi;
  uwsgi_temp_path $1/uwsgi;
  scgi_temp_path $1/scgi;
  server {
    listen 127.0.0.1:$2;
    listen 127.0.0.1:$3 ssl http2;
    ssl_certificate $1/cert.pem;
    ssl_certificate_key $1/key.pem;
    location = /health { default_type application/json; return 200 '{"ok":true}'; }
    location = /readyz { default_type text/plain; return 200 '[+]ping ok\nreadyz check passed\n'; }
    location = /api/v2/summary.json {
      default_type application/json;
      return 200 '{"status":{"indicator":"none","description":"All Systems Operational"},"components":[{"id":"a1","name":"Payments","status":"operational"}]}';
    }
  }
}
CONF
  exec nginx -p "$1" -c "$1/nginx.conf" -e stderr
}

run_redis() { # DIR PORT; the password is "secret"
  need redis-server
  exec redis-server --bind 127.0.0.1 --port "$2" --dir "$1" --save '' --appendonly no --requirepass secret
}

run_postgres() { # DIR PORT; user evenkeel, password "secret"
  local bin as=()
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -x "$bin/postgres" ] || { echo "SKIP: postgresql is not installed" >&2; exit 77; }
  need openssl; certificate "$1"
  if root; then # PostgreSQL will not run as root
    chown -R postgres "$1"
    as=(setpriv --reuid=postgres --regid=postgres --init-groups)
  fi
  if [ ! -s "$1/data/PG_VERSION" ]; then
    echo secret > "$1/password"; chmod 644 "$1/password"
    "${as[@]}" "$bin/initdb" -D "$1/data" -U evenkeel -A scram-sha-256 --pwfile="$1/password" --no-sync >/dev/null
  fi
  cd "$1"
  exec "${as[@]}" "$bin/postgres" -D "$1/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c ssl=on -c ssl_cert_file="$1/cert.pem" -c ssl_key_file="$1/key.pem"
}

run_dovecot() { # DIR IMAP IMAPS; user desk@example.org, password "secret"
  need dovecot; need openssl; certificate "$1"
  local me user group
  me=$(id -un) user=$(id -un) group=$(id -gn)
  if root; then # Dovecot refuses to touch mail as root
    user=nobody group=nogroup me=dovecot
  fi
  mkdir -p "$1/run" "$1/state" "$1/mail"
  root && chown -R "$user:$group" "$1/mail"
  echo 'desk@example.org:{PLAIN}secret::::::' > "$1/users"; chmod 644 "$1/users"
  cat > "$1/dovecot.conf" <<CONF
base_dir = $1/run
state_dir = $1/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_internal_user = $me
default_login_user = $(root && echo dovenull || echo "$me")
$(root || echo "default_internal_group = $group")
first_valid_uid = 1
mail_location = maildir:$1/mail/%u
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = yes
ssl_cert = <$1/cert.pem
ssl_key = <$1/key.pem
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u $1/users
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$1/mail/%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = $2
  }
  inet_listener imaps {
    port = $3
    ssl = yes
  }
}
service anvil {
  chroot =
}
CONF
  exec dovecot -F -c "$1/dovecot.conf"
}

run_unbound() { # DIR PORT
  need unbound
  cat > "$1/unbound.conf" <<CONF
server:
  interface: 127.0.0.1@$2
  username: ""
  chroot: ""
  directory: "$1"
  pidfile: "$1/unbound.pid"
  do-daemonize: no
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "example.org." static
  local-data: "example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 7 3600 600 86400 300"
  local-data: "www.example.org. 300 IN A 192.0.2.1"
  local-data: "www.example.org. 300 IN A 192.0.2.2"
  local-data: "www.example.org. 300 IN AAAA 2001:db8::1"
  local-data: "example.org. 300 IN MX 10 mail.example.org."
  local-data: 'example.org. 300 IN TXT "v=spf1 -all"'
  local-data: 'example.org. 300 IN CAA 0 issue ";"'
remote-control:
  control-enable: no
CONF
  exec unbound -d -c "$1/unbound.conf"
}

run_bind() { # DIR PORT
  need named
  cat > "$1/example.org.zone" <<'CONF'
$TTL 300
@    IN SOA ns.example.org. hostmaster.example.org. 7 3600 600 86400 300
@    IN NS  ns.example.org.
@    IN MX  10 mail.example.org.
@    IN TXT "v=spf1 -all"
@    IN CAA 0 issue ";"
ns   IN A   127.0.0.1
mail IN A   192.0.2.3
www  IN A   192.0.2.1
www  IN A   192.0.2.2
www  IN AAAA 2001:db8::1
CONF
  cat > "$1/named.conf" <<CONF
options {
  directory "$1";
  pid-file none;
  session-keyfile none;
  listen-on port $2 { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
};
controls { };
zone "example.org" { type primary; file "$1/example.org.zone"; };
CONF
  exec named -g -c "$1/named.conf"
}

run_sshd() { # DIR PORT
  need sshd; need ssh-keygen
  if root; then mkdir -p /run/sshd; fi # its separated half lives there
  [ -s "$1/host" ] || ssh-keygen -q -t ed25519 -N '' -f "$1/host"
  printf '%s\n' "Port $2" "ListenAddress 127.0.0.1" "HostKey $1/host" "PidFile none" "UsePAM no" > "$1/sshd_config"
  exec "$(command -v sshd)" -D -e -f "$1/sshd_config"
}

run_prometheus() { # DIR PORT
  need prometheus
  echo 'global: {scrape_interval: 1m}' > "$1/prometheus.yml"
  exec prometheus --config.file="$1/prometheus.yml" --storage.tsdb.path="$1/data" \
    --web.listen-address="127.0.0.1:$2" --log.level=warn
}

SERVERS='nginx 2
redis 1
postgres 1
dovecot 2
unbound 1
bind 1
sshd 1
prometheus 1'

# A port that nobody listens on now.
free_port() {
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
  done
}

monitors() { # SERVER DIR PORT...: what the hub shall watch of it
  case $1 in
  nginx) cat <<YAML
  - {id: nginx-http, component: nginx, kind: http, url: "http://127.0.0.1:$3/health", expect: {json: {"\$.ok": "true"}}, interval: 1s, timeout: 800ms}
  - {id: nginx-tls, component: nginx, kind: tls, target: "localhost:$4", ip: "4", tls: {ca_file: "$2/cert.pem"}, interval: 1s, timeout: 800ms}
YAML
    ;;
  redis) cat <<YAML
  - {id: redis, component: redis, kind: redis, url: "redis://:secret@127.0.0.1:$3", interval: 1s, timeout: 800ms}
  - {id: redis-queue, component: redis, kind: redis_length, url: "redis://:secret@127.0.0.1:$3", key: jobs, value: {unit: jobs, fail_over: 100}, interval: 1s, timeout: 800ms}
YAML
    ;;
  postgres) cat <<YAML
  - {id: postgres, component: postgres, kind: postgres, url: "postgres://evenkeel:secret@127.0.0.1:$3/postgres", query: "select 1", expect: {row: ["1"]}, interval: 1s, timeout: 800ms}
YAML
    ;;
  dovecot) cat <<YAML
  - {id: dovecot, component: dovecot, kind: imap, target: "localhost:$3", ip: "4", starttls: required, tls: {ca_file: "$2/cert.pem"}, auth: {username: desk@example.org, password: secret}, interval: 1s, timeout: 800ms}
YAML
    ;;
  unbound | bind) cat <<YAML
  - {id: $1, component: $1, kind: dns, target: "127.0.0.1:$3", query: www.example.org, expect: {records: [192.0.2.1, 192.0.2.2]}, interval: 1s, timeout: 800ms}
YAML
    ;;
  sshd) cat <<YAML
  - {id: sshd, component: sshd, kind: tcp, target: "127.0.0.1:$3", expect: {keyword: SSH-2.0}, interval: 1s, timeout: 800ms}
YAML
    ;;
  prometheus) cat <<YAML
  - {id: prometheus, component: prometheus, kind: prometheus, url: "http://127.0.0.1:$3", query: "vector(42)", value: {unit: things, fail_over: 100}, interval: 1s, timeout: 800ms}
YAML
    ;;
  esac
}

# What the page says of a component now.
state() {
  curl -fsS "http://127.0.0.1:$PAGE/api/v2/components.json" 2>/dev/null | tr '{' '\n' |
    grep "\"name\":\"$1\"" | grep -o '"status":"[a-z_]*"' | cut -d'"' -f4
}

await() { # COMPONENT STATE
  local got=
  for _ in $(seq 300); do
    got=$(state "$1" || true)
    [ "$got" = "$2" ] && { printf '%-12s %s\n' "$1" "$2"; return; }
    sleep 0.1
  done
  echo "$1 is ${got:-not on the page}, want $2; logs are in $WORK" >&2
  return 1
}

start() { # SERVER
  local ports
  read -ra ports <<< "${PORTS[$1]}"
  setsid "$0" run "$1" "$WORK/$1" "${ports[@]}" >> "$WORK/$1.log" 2>&1 &
  PIDS[$1]=$!
}

kill_hard() { # SERVER: the whole process group, at once
  kill -KILL -- "-${PIDS[$1]}" 2>/dev/null || true
  wait "${PIDS[$1]}" 2>/dev/null || true
}

play() {
  local hub=${EVENKEEL:-evenkeel} server count
  need curl; need setsid; have "$hub" || { echo "the hub's program $hub is not there; set EVENKEEL" >&2; exit 2; }
  declare -gA PORTS PIDS
  WORK=$(mktemp -d); chmod 755 "$WORK"
  PAGE=$(free_port)
  FINISHED=no
  local names=()
  trap 'for s in "${!PIDS[@]}"; do kill_hard "$s"; done; [ "$FINISHED" = no ] || rm -rf "$WORK"' EXIT
  while read -r server count; do
    mkdir -p "$WORK/$server"
    PORTS[$server]=$(for _ in $(seq "$count"); do free_port; done | tr '\n' ' ')
    start "$server"
    names+=("$server")
  done <<< "$SERVERS"
  sleep 3
  local here=()
  for server in "${names[@]}"; do
    if kill -0 "${PIDS[$server]}" 2>/dev/null; then here+=("$server"); else
      grep SKIP "$WORK/$server.log" || { cat "$WORK/$server.log" >&2; exit 1; }
      unset "PIDS[$server]"
    fi
  done
  {
    echo "listen: 127.0.0.1:$PAGE"
    echo "admin_listen: 127.0.0.1:$(free_port)"
    echo "data: $WORK/data"
    echo "page: {name: Real servers}"
    echo "components:"
    for server in "${here[@]}"; do echo "  - {id: $server}"; done
    echo "monitors:"
    for server in "${here[@]}"; do
      # shellcheck disable=SC2086 # the ports are words
      monitors "$server" "$WORK/$server" ${PORTS[$server]}
    done
  } > "$WORK/evenkeel.yaml"
  chmod 600 "$WORK/evenkeel.yaml"
  setsid "$hub" serve -c "$WORK/evenkeel.yaml" > "$WORK/hub.log" 2>&1 &
  PIDS[hub]=$!
  for server in "${here[@]}"; do await "$server" operational; done
  for server in "${here[@]}"; do
    kill_hard "$server"
    await "$server" major_outage # by then PostgreSQL's orphans are gone too
    start "$server"
    await "$server" operational
  done
  FINISHED=yes
  echo "every server was seen up, killed, and back"
}

case ${1:-play} in
play) play ;;
list) echo "$SERVERS" ;;
run)
  [ $# -ge 4 ] && declare -F "run_$2" >/dev/null || { sed -n '2,12p' "$0" >&2; exit 2; }
  mkdir -p "$3"
  "run_$2" "${@:3}"
  ;;
*)
  sed -n '2,12p' "$0" >&2
  exit 2
  ;;
esac
