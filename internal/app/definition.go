package app

import (
	"slices"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// definition says in the words of the status wing what the configuration
// defines. The file has passed its checks, so nothing here can fail.
func definition(f config.File) status.Definition {
	d := shown(f)
	for _, m := range f.Monitors {
		d.Monitors = append(d.Monitors, definedMonitor(m, false))
	}
	for _, m := range f.Sentinels {
		d.Monitors = append(d.Monitors, definedMonitor(m, true))
	}
	for _, w := range f.Maintenance {
		d.Windows = append(d.Windows, window(w))
		if w.Was != "" {
			if d.WindowsWas == nil {
				d.WindowsWas = map[string]string{}
			}
			d.WindowsWas[w.ID] = w.Was
		}
	}
	return d
}

// shown is the part of the definition that visitors see at once: the site, its
// groups and components.
func shown(f config.File) status.Definition {
	d := status.Definition{Site: site(f.Page)}
	for i, g := range f.Groups {
		d.Groups = append(d.Groups, status.DefinedGroup{Group: status.Group{ID: g.ID, Name: g.Name, Position: i}, Was: g.Was})
	}
	for i, c := range f.Components {
		named := func(g status.DefinedGroup) bool { return g.ID == c.Group }
		if c.Group != "" && !slices.ContainsFunc(d.Groups, named) { // a group that is only named by its components
			d.Groups = append(d.Groups, status.DefinedGroup{Group: status.Group{ID: c.Group, Name: c.Group, Position: len(d.Groups)}})
		}
		d.Components = append(d.Components, status.DefinedComponent{Was: c.Was, Component: status.Component{
			ID: c.ID, Name: c.Name, Description: c.Description, Group: c.Group, Needs: c.Needs, Public: *c.Public,
			Runbook: c.Runbook, Position: i, Publish: status.Publish(c.Publish), PublishAfter: c.PublishAfter.D(),
		}})
	}
	return d
}

func site(p config.Page) status.Site {
	return status.Site{
		Name: p.Name, URL: p.URL, Zone: p.TimeZone, Home: p.Home, ReportURL: p.ReportURL, Strict: p.StrictStatuspage,
		Weights: status.Weights{Major: *p.Uptime.Major, Partial: *p.Uptime.Partial, Degraded: *p.Uptime.Degraded},
	}
}

// definedMonitor keeps what verdicts need. What exactly is probed stays in the
// configuration; the mark tells when it changed.
func definedMonitor(m config.Monitor, sentinel bool) status.DefinedMonitor {
	return status.DefinedMonitor{
		Was:  m.Was,
		Mark: m.Fingerprint(),
		Monitor: status.Monitor{
			ID: m.ID, Component: m.Component, Name: m.Name, Kind: m.Kind, Interval: m.Interval.D(), Locations: m.Locations,
			Sentinel: sentinel, Unit: unit(m), Public: *m.Public,
			Rule: status.Rule{
				Confirm: m.Confirm, Recover: m.Recover, Slow: m.Slow.D(), SlowFor: m.SlowFor, Quorum: m.Quorum, Fails: status.Status(m.Fails),
				FlapCount: m.Flap.Changes, FlapWithin: m.Flap.Within.D(), PublicText: m.PublicText,
			},
		},
	}
}

// unit is what a value monitor counts, and what makes it one: latency monitors
// have none. A monitor of a value kind that names no unit counts the obvious.
func unit(m config.Monitor) string {
	if m.Value.Unit != "" {
		return m.Value.Unit
	}
	switch m.Kind {
	case "redis_length":
		return "items"
	case "prometheus", "sql":
		return "value"
	case "exec":
		if m.Value != (config.Value{}) {
			return "value"
		}
	}
	return ""
}

// window says when maintenance is, in UTC for one-off windows.
func window(w config.Window) status.Window {
	out := status.Window{
		ID: w.ID, Title: w.Title, Description: w.Description, Components: w.Components,
		RRule: w.RRule, Zone: w.Zone, Start: w.Start, Duration: w.Duration.D(),
	}
	if w.Remind != nil {
		out.Conduct.Remind = make([]time.Duration, len(*w.Remind))
		for i, ahead := range *w.Remind {
			out.Conduct.Remind[i] = ahead.D()
		}
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil { // the checks have loaded it before
		zone = time.UTC
	}
	if w.From != "" {
		out.From, _ = config.ParseMoment(w.From, zone)
		out.To, _ = config.ParseMoment(w.To, zone)
	}
	return out
}
