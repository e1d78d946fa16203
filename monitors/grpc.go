package monitors

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// grpcKeys are the options of kind grpc.
var grpcKeys = slices.Concat([]string{"url", "target", "service", "expect.condition"}, dialKeys, tlsKeys, certKeys, authKeys)

// grpcSchemes are the forms of its URL. A target is in plain text, or TLS when
// the block tls says anything.
var grpcSchemes = map[string]scheme{"grpc": {port: "80"}, "grpcs": {port: "443", secure: true}}

// Limits of a call.
const (
	maxGRPCMessage = 64 << 10 // bytes of the answer
	maxGRPCHeaders = 64 << 10 // bytes of its headers
)

// grpcProbe calls the standard health service (grpc.health.v1) over a
// connection of its own.
type grpcProbe struct {
	dial    *Dialer
	at      target
	secure  *tls.Config // nil = plain text
	auth    *Auth
	agent   string
	service string
	certs   certLimits
	cond    *Condition
}

// grpcFacts is what a condition may ask of a call.
type grpcFacts struct {
	Latency float64 `expr:"latency"` // ms
	Status  string  `expr:"status"`  // SERVING, NOT_SERVING, …
}

// compileGRPC is the kind grpc. Errors: Invalid.
func compileGRPC(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &grpcProbe{service: spec.Service, agent: env.UserAgent, certs: env.certLimits(spec)}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	p.at, err = compileTarget(spec, grpcSchemes, "grpc")
	found = collect(found, err)
	if p.at.url != nil && (p.at.url.User != nil || (p.at.url.Path != "" && p.at.url.Path != "/")) {
		found = append(found, problem.Invalid("url", "is grpc:// or grpcs://, host and port; a service is named by service, a login by auth"))
	}
	secure, err := env.tlsFor(spec, p.at)
	found = collect(found, err)
	if err == nil && (p.at.secure || spec.TLS != (config.TLS{})) {
		p.secure = secure
		p.secure.NextProtos = []string{"h2"}
	}
	p.auth, err = env.Auth(spec)
	found = collect(found, err)
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, grpcFacts{})
	return p, collect(found, err).Err()
}

// Close has nothing to let go of.
func (p *grpcProbe) Close() {}

// Probe makes one call.
func (p *grpcProbe) Probe(ctx context.Context, run *Run) status.Result {
	authorization, err := p.auth.Header(ctx, run)
	if err != nil {
		return run.FailErr(ctx, err, "signing in")
	}
	conn, err := p.dial.Dial(ctx, run, p.at.network, p.at.address)
	if err != nil {
		return run.FailErr(ctx, err, "connecting")
	}
	defer conn.Close()
	run.Log("connected to %s", conn.RemoteAddr())

	shaking := credentials.TransportCredentials(insecure.NewCredentials())
	if p.secure != nil {
		secured, err := Handshake(ctx, run, conn, p.secure)
		if err != nil {
			return run.FailErr(ctx, err, "securing the connection")
		}
		if secured.ConnectionState().NegotiatedProtocol != "h2" {
			return run.Fail(status.CauseBadAnswer, "the server does not agree to speak HTTP/2")
		}
		conn, shaking = secured, shaken{credentials.NewTLS(p.secure), secured.ConnectionState()}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // from here on the client watches ctx itself
		return run.FailErr(ctx, err, "connecting")
	}
	once := &handOver{conn: &boundedConn{Conn: conn, left: maxDialogue}}
	client, err := grpc.NewClient("passthrough:///"+p.at.address,
		grpc.WithTransportCredentials(shaking), grpc.WithContextDialer(once.take), grpc.WithUserAgent(p.agent),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithMaxHeaderListSize(maxGRPCHeaders),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxGRPCMessage)))
	if err != nil {
		return run.Unknown("preparing the call: %v", err)
	}
	defer client.Close()
	if authorization != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
	}
	run.Log("calling grpc.health.v1.Health/Check for the service %s", quote(p.service))
	answer, err := grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: p.service})
	run.Mark(status.PhaseWait)
	return p.judge(ctx, run, answer, err)
}

// judge makes the result of a call.
func (p *grpcProbe) judge(ctx context.Context, run *Run, answer *grpc_health_v1.HealthCheckResponse, err error) status.Result {
	took := run.Elapsed()
	code := grpcstatus.Code(err)
	run.Log("status %s", code)
	var res status.Result
	switch text := grpcstatus.Convert(err).Message(); {
	case code == codes.OK && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING:
		res = conclude(run, took, p.certs, p.cond, grpcFacts{Latency: milliseconds(took), Status: answer.GetStatus().String()})
	case code == codes.OK:
		res = run.Fail(status.CauseBadAnswer, "the service %s is %s, want SERVING", quote(p.service), answer.GetStatus())
	case code == codes.NotFound:
		res = run.Fail(status.CauseBadAnswer, "the server does not know the service %s", quote(p.service))
	case code == codes.Unimplemented:
		res = run.Fail(status.CauseBadAnswer, "the server has no health service: %s", text)
	case code == codes.DeadlineExceeded: // by our clock or, a moment earlier, by the server's
		res = run.FailErr(ctx, context.DeadlineExceeded, "waiting for the answer")
	case ctx.Err() != nil:
		res = run.FailErr(ctx, ctx.Err(), "waiting for the answer")
	case code == codes.Unavailable:
		res = run.Fail(status.CauseNoAnswer, "the call broke off: %s", text)
	default:
		res = run.Fail(status.CauseBadAnswer, "the call ended with %s: %s", code, text)
	}
	res.Code = int(code)
	return res
}

// handOver gives the connection that is open already to the first who dials,
// and no second one: a call that broke is the result of the run.
type handOver struct {
	mu   sync.Mutex
	conn net.Conn
}

func (h *handOver) take(context.Context, string) (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn == nil {
		return nil, errors.New("the connection was closed by the other side")
	}
	conn := h.conn
	h.conn = nil
	return conn, nil
}

// shaken are credentials for a connection that is secured already: by
// ourselves, so that the phase is measured and its errors are told apart.
type shaken struct {
	credentials.TransportCredentials
	state tls.ConnectionState
}

// ClientHandshake has nothing left to do.
func (s shaken) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, credentials.TLSInfo{
		State: s.state, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

// Clone gives a copy.
func (s shaken) Clone() credentials.TransportCredentials { return s }
