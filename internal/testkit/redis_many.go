package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sentinelMaster is the name under which the sentinels know their master.
const sentinelMaster = "mymaster"

// RedisSentinels is a master with one replica and three sentinels.
type RedisSentinels struct {
	URL             string
	Master, Replica *RedisServer
	sentinels       []*RedisServer
}

// NewRedisSentinels starts them and waits until a failover is possible.
func NewRedisSentinels(tb testing.TB) *RedisSentinels {
	tb.Helper()
	s := &RedisSentinels{Master: NewRedis(tb, RedisOptions{TCP: true})}
	host, port, _ := net.SplitHostPort(s.Master.Address)
	s.Replica = NewRedis(tb, RedisOptions{TCP: true, Args: []string{"--replicaof", host + " " + port, "--repl-diskless-sync-delay", "0"}})
	var addresses []string
	for range 3 {
		dir := shortDir(tb)
		sentinelPort := strconv.Itoa(FreePort(tb))
		file := filepath.Join(dir, "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nlogfile %s\n", sentinelPort, dir, filepath.Join(dir, "log")) +
			fmt.Sprintf("sentinel monitor %s %s %s 2\n", sentinelMaster, host, port) +
			fmt.Sprintf("sentinel down-after-milliseconds %s 500\nsentinel failover-timeout %[1]s 3000\n", sentinelMaster)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		one := &RedisServer{dir: dir, args: []string{file, "--sentinel"}, cli: []string{"-p", sentinelPort}}
		tb.Cleanup(func() { one.Kill(tb) })
		one.Start(tb)
		s.sentinels = append(s.sentinels, one)
		addresses = append(addresses, net.JoinHostPort(host, sentinelPort))
	}
	s.URL = "redis+sentinel://" + strings.Join(addresses, ",") + "/" + sentinelMaster
	Await(tb, "the sentinels to agree", redisWithin, func() bool {
		for _, one := range s.sentinels {
			quorum, _ := one.command("sentinel", "ckquorum", sentinelMaster)
			state, _ := one.command("sentinel", "master", sentinelMaster)
			if !strings.HasPrefix(quorum, "OK 3") || !strings.Contains(state, "num-slaves\n1") {
				return false
			}
		}
		info, _ := s.Replica.command("info", "replication")
		return strings.Contains(info, "master_link_status:up")
	})
	return s
}

// RedisCluster is a cluster of three masters that share the slots.
type RedisCluster struct {
	URL   string
	Nodes []*RedisServer
}

// NewRedisCluster starts one and waits until all nodes know of each other.
func NewRedisCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	const nodes, slots = 3, 16384
	c := &RedisCluster{}
	var addresses, buses []string
	for range nodes {
		bus := strconv.Itoa(FreePort(tb))
		one := NewRedis(tb, RedisOptions{TCP: true, Args: []string{
			"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", bus, "--cluster-node-timeout", "2000",
		}})
		c.Nodes, addresses, buses = append(c.Nodes, one), append(addresses, one.Address), append(buses, bus)
	}
	for i, one := range c.Nodes {
		one.CLI(tb, "cluster", "addslotsrange", strconv.Itoa(i*slots/nodes), strconv.Itoa((i+1)*slots/nodes-1))
		host, port, _ := net.SplitHostPort(addresses[0])
		if i > 0 {
			one.CLI(tb, "cluster", "meet", host, port, buses[0])
		}
	}
	Await(tb, "the cluster to form", redisWithin, func() bool {
		for _, one := range c.Nodes {
			info, _ := one.command("cluster", "info")
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	})
	c.URL = "redis+cluster://" + strings.Join(addresses, ",")
	return c
}
