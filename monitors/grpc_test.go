package monitors

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// serveGRPC starts a real gRPC server with the health service that register gives.
func serveGRPC(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	register(s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-done
	})
	return l.Addr().String()
}

func TestGRPCHealth(t *testing.T) {
	h := health.NewServer()
	h.SetServingStatus("shop", grpc_health_v1.HealthCheckResponse_SERVING)
	h.SetServingStatus("stock", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	register := func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, h) }
	a := newAuthority(t, time.Now().Add(365*24*time.Hour))
	plain, secured := serveGRPC(t, register), serveGRPC(t, register, grpc.Creds(credentials.NewTLS(a.Server)))
	empty := serveGRPC(t, func(*grpc.Server) {})
	ca := config.TLS{CAFile: a.File}

	res := ask(t, config.Monitor{Kind: "grpc", Target: plain, Expect: config.Expect{Condition: `status == "SERVING" && latency < 5000`}})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Phases[status.PhaseConnect] <= 0 || res.Phases[status.PhaseWait] <= 0 {
		t.Errorf("phases %v", res.Phases)
	}
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", URL: "grpc://" + plain, Service: "shop"}), status.OK, status.CauseNone, "")
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", Target: plain, Service: "stock"}), status.Failed, status.CauseBadAnswer, `"stock" is NOT_SERVING, want SERVING`)
	res = ask(t, config.Monitor{Kind: "grpc", Target: plain, Service: "nobody"})
	wantResult(t, res, status.Failed, status.CauseBadAnswer, "does not know the service")
	if res.Code != int(codes.NotFound) {
		t.Errorf("code %d", res.Code)
	}
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", Target: empty}), status.Failed, status.CauseBadAnswer, "no health service")

	res = ask(t, config.Monitor{Kind: "grpc", URL: "grpcs://" + secured, TLS: ca})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Facts.TLSVersion == "" || res.Phases[status.PhaseTLS] <= 0 {
		t.Errorf("TLS %q, phases %v", res.Facts.TLSVersion, res.Phases)
	}
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", URL: "grpcs://" + secured}), status.Failed, status.CauseTLS, "unknown authority")
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", URL: "grpcs://" + plain, TLS: ca}), status.Failed, status.CauseTLS, "not TLS")
}

// hanging is a health service that never answers, or only to who is known.
type hanging struct {
	grpc_health_v1.UnimplementedHealthServer
	token string
}

func (h hanging) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if h.token == "" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	m, _ := metadata.FromIncomingContext(ctx)
	if strings.Join(m.Get("authorization"), "") != "Bearer "+h.token {
		return nil, grpcstatus.Error(codes.Unauthenticated, "who are you")
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func TestGRPCTimeoutAndToken(t *testing.T) {
	slow := serveGRPC(t, func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, hanging{}) })
	wantResult(t, askWithin(t, config.Monitor{Kind: "grpc", Target: slow}, quick), status.Failed, status.CauseNoAnswer, "waiting for the answer: no answer in time")
	known := serveGRPC(t, func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, hanging{token: "tok-tok"}) })
	wantResult(t, ask(t, config.Monitor{Kind: "grpc", Target: known}), status.Failed, status.CauseBadAnswer, "Unauthenticated: who are you")
	spec := config.Monitor{Kind: "grpc", Target: known, Auth: config.Auth{Bearer: config.Secret{Plain: "tok-tok"}}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
}
