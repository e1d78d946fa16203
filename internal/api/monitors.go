package api

import "time"

// Monitor is a monitor, its newest result and its verdict.
type Monitor struct {
	ID        string   `json:"id"`
	Component string   `json:"component" doc:"Id of the component it checks; empty for a sentinel"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind" example:"http"`
	Interval  float64  `json:"interval_s"`
	Locations []string `json:"locations"`
	Sentinel  bool     `json:"sentinel" doc:"It tells whether the hub itself is connected"`
	Unit      string   `json:"unit" doc:"Of a value monitor; empty for latency monitors"`
	Verdict   *Verdict `json:"verdict" doc:"null before the first result"`
	Last      *Result  `json:"last" doc:"Newest result; null before the first"`
}

// Verdict is what the hub makes of a monitor's results.
type Verdict struct {
	Level    string     `json:"level" enum:"unknown,up,slow,down"`
	Since    *time.Time `json:"since"`
	Streak   int        `json:"streak" doc:"Results in a row that speak for a change, or for being down"`
	Flapping bool       `json:"flapping"`
	Held     string     `json:"held" doc:"Why nothing follows from the last results; empty when something does"`
}

// Result is one finished run of a monitor.
type Result struct {
	Due      time.Time          `json:"due" doc:"The tick it belongs to"`
	Started  time.Time          `json:"started"`
	Location string             `json:"location"`
	Outcome  string             `json:"outcome" enum:"ok,slow,failed,inconclusive"`
	Latency  float64            `json:"latency_s"`
	Phases   map[string]float64 `json:"phases_s" doc:"resolve, connect, tls, processing, transfer"`
	Code     int                `json:"code" doc:"HTTP status, DNS rcode, gRPC status or exit code"`
	Value    *float64           `json:"value" doc:"Of a value monitor"`
	Reason   string             `json:"reason" doc:"One line for staff; empty when ok"`
	Log      []string           `json:"log" doc:"The run's own log, where it was kept"`
}

// Monitors is a list of monitors.
type Monitors struct {
	Monitors []Monitor `json:"monitors"`
}

// Sample is one recorded measurement.
type Sample struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome" enum:"ok,slow,failed,inconclusive"`
	Latency float64   `json:"latency_s" doc:"Resolution 10 µs; 0 when there was none"`
	Value   *float64  `json:"value"`
}

// Samples is what is kept of one monitor and location in a window.
type Samples struct {
	Monitor  string    `json:"monitor"`
	Location string    `json:"location"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Samples  []Sample  `json:"samples"`
}

// Decision is one line of the verdict engine's diary.
type Decision struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Effective time.Time `json:"effective" doc:"Back-dated to the first result that spoke for it"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Held      string    `json:"held" doc:"Why nothing followed; empty when something did"`
	Staff     string    `json:"staff"`
	Public    string    `json:"public"`
}

// Decisions is the diary of one monitor, newest first.
type Decisions struct {
	Monitor   string     `json:"monitor"`
	Decisions []Decision `json:"decisions"`
}
