package status

import "time"

// Outcome is what one probe run found.
type Outcome uint8

// The outcomes. Inconclusive is never downtime.
const (
	OK Outcome = iota
	Slow
	Failed
	Inconclusive
)

// String gives ok, slow, failed or inconclusive.
func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Slow:
		return "slow"
	case Failed:
		return "failed"
	default:
		return "inconclusive"
	}
}

// Phase indexes Result.Phases.
type Phase int

// The phases of a run, in order of time. Kinds that have no such phase leave it 0.
const (
	PhaseResolve  Phase = iota // DNS
	PhaseConnect               // TCP or the like
	PhaseTLS                   // handshake
	PhaseWait                  // from the request written to the first byte
	PhaseTransfer              // from the first byte to the last
	PhaseCount
)

// PhaseNames are the label values of blackbox_exporter for the phases.
var PhaseNames = [PhaseCount]string{"resolve", "connect", "tls", "processing", "transfer"}

// Cause is the closed set of public reasons. Result.Reason is for staff and may
// name hosts and errors; the public sentence is made from the cause alone.
type Cause uint8

// The causes.
const (
	CauseNone       Cause = iota
	CauseNoAnswer         // timeout, refused, unreachable
	CauseBadAnswer        // wrong status, body, record, value
	CauseSlowAnswer       // answered, above the limit
	CauseTLS              // certificate or handshake
	CauseMissing          // an expected ping did not come
	CauseThreshold        // a value crossed its limit
	CauseSelf             // we could not tell: our own trouble
)

// Result is one finished run of one monitor at one location. Times are UTC.
type Result struct {
	Monitor  string // key
	Location string
	Interval time.Duration // the monitor's, at this run: samples are recorded in slots of it
	Due      time.Time     // the tick it belongs to
	Started  time.Time     // when the run really began
	Latency  time.Duration // what is recorded and charted; 0 when there was none
	Phases   [PhaseCount]time.Duration
	Outcome  Outcome
	Cause    Cause
	Code     int     // protocol status: HTTP status, DNS rcode, gRPC status, exit code
	Value    float64 // of a value monitor
	HasValue bool
	Reason   string // one line for staff; "" when OK
	Facts    *Facts // what metrics and pages show beyond that; shared, never written after
}

// Kept is a Result in half its room, without monitor and location, which
// whoever keeps it knows: ten thousand of them are always there. Its moments are
// exact to the microsecond.
type Kept struct {
	due, started      int64 // Unix microseconds; 0 for the zero time
	interval, latency time.Duration
	phases            [PhaseCount]time.Duration
	value             float64
	reason            string
	facts             *Facts
	code              int32
	outcome           Outcome
	cause             Cause
	hasValue          bool
}

// KeptOf packs a result.
func KeptOf(r *Result) Kept {
	return Kept{
		due: unixMicro(r.Due), started: unixMicro(r.Started), interval: r.Interval, latency: r.Latency, phases: r.Phases,
		value: r.Value, reason: r.Reason, facts: r.Facts, code: int32(r.Code), outcome: r.Outcome, cause: r.Cause, hasValue: r.HasValue,
	}
}

// Result gives it back as that of a monitor, by key, and a location.
func (k *Kept) Result(monitor, location string) Result {
	return Result{
		Monitor: monitor, Location: location, Interval: k.interval, Due: fromUnixMicro(k.due), Started: fromUnixMicro(k.started),
		Latency: k.latency, Phases: k.phases, Outcome: k.outcome, Cause: k.cause, Code: int(k.code), Value: k.value, HasValue: k.hasValue,
		Reason: k.reason, Facts: k.facts,
	}
}

func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromUnixMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Facts are details of the last run that metrics and the console show.
type Facts struct {
	IPVersion   int       // 4 or 6
	CertExpiry  time.Time // earliest in the chain
	ChainExpiry time.Time // last chain to expire
	TLSVersion  string
	HTTPVersion string
	Redirects   int
	Bytes       int64 // body bytes read
	Loss        float64
	Jitter      time.Duration
	Numbers     map[string]float64 // by metric name without prefix: dns answers, perfdata…
	Log         []string           // the run's own readable log, secrets redacted
}

// Ping is one signal to a heartbeat monitor.
type Ping struct {
	Monitor string // key
	At      time.Time
	Signal  PingSignal
	Exit    int
	RunTime time.Duration // between start and this signal, 0 when unknown
	Log     string        // bounded
}

// PingSignal is what a ping says.
type PingSignal string

// The signals of /ping/{token}.
const (
	PingStart   PingSignal = "start"
	PingSuccess PingSignal = "success"
	PingFail    PingSignal = "fail"
	PingLog     PingSignal = "log"
)
