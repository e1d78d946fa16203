package console

import (
	"net/http"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const onCallPath = "/console/oncall"

// How much of a rotation is shown.
const (
	turnsAhead = 14 * 24 * time.Hour
	turnsShown = 8
)

// onCallRoutes are the addresses of who is on call.
func (c *Console) onCallRoutes() []door.Route {
	if c.deps.Rota == nil {
		return nil
	}
	return []door.Route{
		{Method: http.MethodGet, Path: onCallPath, Action: access.OnCallRead, Handler: c.handle(c.onCall)},
		{Method: http.MethodPost, Path: onCallPath, Action: access.OnCallOverride, Handler: c.handle(c.override)},
		{Method: http.MethodPost, Path: onCallPath + "/{id}/drop", Action: access.OnCallOverride, Handler: c.handle(c.dropOverride)},
	}
}

// onCallPage is the data of oncall.html.
type onCallPage struct {
	Rotations    []rotationRow
	Overrides    []overrideRow
	Rotation     Field
	Person       Field
	From, To     Field
	CanOverride  bool
	Wrong        []string
	ChannelsPath string
}

// rotationRow is one rotation: who is on call now, and who follows.
type rotationRow struct {
	ID, Name, Person string
	Until            Stamp
	Standing         bool // somebody stands in
	Next             []turnRow
}

// turnRow is one turn.
type turnRow struct {
	Person   string
	From, To Stamp
	Override bool
}

// overrideRow is somebody who stands in.
type overrideRow struct {
	ID, Rotation, RotationID, Person, By string
	From, To                             Stamp
}

// onCall says who is on call now and next, and lets somebody stand in.
func (c *Console) onCall(w http.ResponseWriter, r *http.Request) error {
	return c.showOnCall(w, r, nil, nil)
}

func (c *Console) showOnCall(w http.ResponseWriter, r *http.Request, o *notice.Override, wrong error) error {
	ctx, g := r.Context(), guestOf(r)
	k := c.clock(c.zoneOf(g))
	people, err := c.roster(ctx)
	if err != nil {
		return err
	}
	f, _ := faultsOf(wrong)
	d := onCallPage{CanOverride: g.Actor.May(access.OnCallOverride)}
	rotations := c.deps.Rota.Rotations()
	called := map[string]string{}
	var choices []Option
	for _, rotation := range rotations {
		name := rotation.Name
		if name == "" {
			name = rotation.ID
		}
		called[rotation.ID] = name
		choices = append(choices, Option{Value: rotation.ID, Word: name})
		turns, err := c.deps.Rota.Schedule(ctx, rotation.ID, k.Now, k.Now.Add(turnsAhead))
		if err != nil {
			return err
		}
		row := rotationRow{ID: rotation.ID, Name: name}
		for n, turn := range turns[:min(len(turns), turnsShown)] {
			if n == 0 {
				row.Person, row.Until, row.Standing = c.personName(r, turn.Person, people), k.Day(turn.To), turn.Override != ""
				continue
			}
			row.Next = append(row.Next, turnRow{Person: c.personName(r, turn.Person, people), From: k.Day(turn.From), To: k.Day(turn.To), Override: turn.Override != ""})
		}
		d.Rotations = append(d.Rotations, row)
	}
	standing, err := c.deps.Rota.Overrides(ctx, g.Actor, k.Now, k.Now.Add(90*24*time.Hour))
	if err != nil {
		return err
	}
	slices.SortFunc(standing, func(a, b notice.Override) int { return a.From.Compare(b.From) })
	for _, x := range standing {
		d.Overrides = append(d.Overrides, overrideRow{ID: x.ID, RotationID: x.Rotation, Rotation: called[x.Rotation], Person: c.personName(r, x.Person, people), By: c.name(ctx, x.By), From: k.Day(x.From), To: k.Day(x.To)})
	}
	if o == nil {
		from := k.Now.Truncate(time.Minute)
		o = &notice.Override{Person: g.Person.ID, From: from, To: from.Add(8 * time.Hour)}
	}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(k.Zone).Format(localForm)
	}
	d.Rotation = Field{Kind: "select", Name: "rotation", Label: "Rotation", Options: options(choices, o.Rotation), Error: f.of("rotation")}
	d.Person = Field{Kind: "select", Name: "person", Label: "Who stands in", Options: peopleOptions(people, o.Person)[1:], Error: f.of("person")}
	d.From = Field{Kind: "datetime-local", Name: "from", Label: "From, " + k.Zone.String(), Value: moment(o.From), Required: true, Error: f.of("from")}
	d.To = Field{Kind: "datetime-local", Name: "to", Label: "To", Value: moment(o.To), Required: true, Error: f.of("to")}
	d.Wrong = f.left()
	if c.deps.Channels != nil && g.Actor.May(access.ChannelTest) {
		d.ChannelsPath = channelsPath
	}
	page := Page{Title: "On call", Section: "oncall", Template: "oncall", Data: d, Bleed: true, Live: "rotation", Every: 60, Sub: []string{"Who is called when something fails. Rotations stand in the configuration file."}}
	if wrong != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

// personName names a person by their id; "" for nobody.
func (c *Console) personName(r *http.Request, id string, people map[string]string) string {
	if id == "" {
		return ""
	}
	if name := people[id]; name != "" {
		return name
	}
	return c.name(r.Context(), id)
}

// override lets somebody stand in for a while.
func (c *Console) override(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	g := guestOf(r)
	o := notice.Override{Rotation: v.Get("rotation"), Person: v.Get("person")}
	if o.From, err = c.momentOf(g, v, "from"); err == nil {
		o.To, err = c.momentOf(g, v, "to")
	}
	if err == nil {
		var kept notice.Override
		if kept, err = c.deps.Rota.Override(r.Context(), g.Actor, o); err == nil {
			c.See(w, r, onCallPath, &Said{Text: c.name(r.Context(), o.Person) + " stands in", Undo: onCallPath + "/" + kept.ID + "/drop", With: map[string]string{"rotation": o.Rotation}})
			return nil
		}
	}
	if problem.KindOf(err) == problem.KindInvalid {
		return c.showOnCall(w, r, &o, err)
	}
	return err
}

// dropOverride takes a stand-in back.
func (c *Console) dropOverride(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Rota.DropOverride(r.Context(), guestOf(r).Actor, r.PostFormValue("rotation"), r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, onCallPath, &Said{Text: "The rotation holds again"})
	return nil
}
