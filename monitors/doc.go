// Package monitors probes: it turns the monitors of the configuration into
// probes of many kinds, runs each at its moment, and hands on what they found.
// The same probe serves the schedule, a run by hand and /probe.
//
// It knows targets, protocols and time. It must not know what a result means
// for a component, where results are kept, or who looks at them: results leave
// through one function, and heartbeats come in through one port. DESIGN.md has
// the reasons behind its shape.
package monitors
