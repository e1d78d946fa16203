package config

import (
	"cmp"
	"strings"
	"time"
)

// The defaults of everything that a file may leave out.
const (
	DefaultListen      = "127.0.0.1:8080"
	DefaultAdminListen = "127.0.0.1:8081"
	DefaultData        = "data" // beside the file
	DefaultZone        = "Etc/UTC"
	DefaultInterval    = Duration(time.Minute)
	DefaultTimeout     = Duration(10 * time.Second)
	DefaultConcurrency = 4096
	DefaultPublishWait = Duration(10 * time.Minute)
	DefaultHistories   = Duration(400 * 24 * time.Hour)
	DefaultDecisions   = Duration(90 * 24 * time.Hour)
	LocalLocation      = "local" // the location of the hub itself; always there
)

// fill replaces what the file leaves out by the defaults that hold for every
// kind of monitor. What one kind alone knows stays empty.
func (f *File) fill(doc *document) {
	f.Listen = cmp.Or(f.Listen, DefaultListen)
	f.AdminListen = cmp.Or(f.AdminListen, DefaultAdminListen)
	f.Log.Level = cmp.Or(f.Log.Level, "info")
	f.Page.URL = strings.TrimRight(f.Page.URL, "/")
	f.Page.TimeZone = cmp.Or(f.Page.TimeZone, DefaultZone)
	f.Page.Uptime.Major = cmp.Or(f.Page.Uptime.Major, new(1.0))
	f.Page.Uptime.Partial = cmp.Or(f.Page.Uptime.Partial, new(0.3))
	f.Page.Uptime.Degraded = cmp.Or(f.Page.Uptime.Degraded, new(0.0))
	for i := range f.Groups {
		f.Groups[i].fill()
	}
	for i := range f.Components {
		f.Components[i].fill()
	}
	zone := f.zone()
	for i := range f.Monitors {
		f.Monitors[i].fill(zone)
	}
	for i := range f.Sentinels {
		f.Sentinels[i].fill(zone)
	}
	for name, m := range f.Blackbox.Modules {
		m.Timeout = cmp.Or(m.Timeout, DefaultTimeout)
		f.Blackbox.Modules[name] = m
	}
	for i := range f.Maintenance {
		w := &f.Maintenance[i]
		w.Title = cmp.Or(w.Title, w.ID)
		w.Zone = cmp.Or(w.Zone, zone)
	}
	f.fillNotices(zone)
	f.fillMailboxes()
	f.fillDesk(zone)
	f.Retention.Samples = cmp.Or(f.Retention.Samples, MaxSamples)
	if !doc.has("retention.histories") { // 0 keeps for ever, so it is not the same as nothing
		f.Retention.Histories = DefaultHistories
	}
	if !doc.has("retention.decisions") {
		f.Retention.Decisions = DefaultDecisions
	}
	f.Probe.Concurrency = cmp.Or(f.Probe.Concurrency, DefaultConcurrency)
	f.SignIn.fill()
	f.Probe.AllowPrivate = cmp.Or(f.Probe.AllowPrivate, new(true))
}

// zone gives the zone that things of the file inherit. A wrong one is one
// problem, and not one more wherever it would be inherited.
func (f *File) zone() string {
	if _, err := time.LoadLocation(f.Page.TimeZone); err != nil {
		return DefaultZone
	}
	return f.Page.TimeZone
}

// fill gives a group its name.
func (g *Group) fill() { g.Name = cmp.Or(g.Name, g.ID) }

// fill gives a component its name and what it leaves out.
func (c *Component) fill() {
	c.Name = cmp.Or(c.Name, c.ID)
	c.Public = cmp.Or(c.Public, new(true))
	c.Publish = cmp.Or(c.Publish, "auto")
	if c.Publish == "after_confirm" {
		c.PublishAfter = cmp.Or(c.PublishAfter, DefaultPublishWait)
	}
}

// fill gives a monitor its name, rhythm and place. The timeout is ten seconds,
// or eight tenths of a short interval.
func (m *Monitor) fill(zone string) {
	m.Name = cmp.Or(m.Name, m.ID)
	m.Interval = cmp.Or(m.Interval, DefaultInterval)
	m.Timeout = cmp.Or(m.Timeout, min(DefaultTimeout, m.Interval*8/10))
	m.Public = cmp.Or(m.Public, new(true))
	if len(m.Locations) == 0 {
		m.Locations = []string{LocalLocation}
	}
	if m.Schedule != (Schedule{}) {
		m.Schedule.Zone = cmp.Or(m.Schedule.Zone, zone)
	}
}
