package console

import "net/http"

// sheet is one block of the keys page.
type sheet struct {
	Title string
	Keys  []Key
}

// sheetsOfKeys is everything that can be pressed, by room.
var sheetsOfKeys = []sheet{
	{"Everywhere", []Key{
		{[]string{"⌘K"}, "jump or do"}, {[]string{"/"}, "search"}, {[]string{"?"}, "these keys"}, {[]string{"z"}, "undo what was just done"},
		{[]string{"Esc"}, "back"}, {[]string{"⌘↵"}, "send the form you are in"},
	}},
	{"Lists", []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}, {[]string{"x"}, "select"}}},
	{"Wall", []Key{{[]string{"m"}, "rooms"}, {[]string{"v"}, "sound on or off"}, {[]string{"h"}, "handover of the shift"}}},
	{"Component", []Key{{[]string{"c"}, "confirm what checks see"}, {[]string{"s"}, "silence"}, {[]string{"h"}, "hold for a rollout"}, {[]string{"e"}, "edit"}, {[]string{"r"}, "run a check now"}}},
	{"Calendar", []Key{{[]string{"n"}, "plan maintenance"}, {[]string{"["}, "month before"}, {[]string{"]"}, "month after"}, {[]string{"t"}, "this month"}}},
	{"Tickets", []Key{
		{[]string{"j", "k"}, "read the next, the one before"}, {[]string{"r"}, "reply"}, {[]string{"i"}, "note"}, {[]string{"a"}, "assign"}, {[]string{"l"}, "link to an incident"},
		{[]string{"e"}, "close, and on to the next"}, {[]string{";"}, "saved replies"}, {[]string{"x"}, "select"}, {[]string{"y", "n"}, "accept or refuse the proposal"}, {[]string{"o"}, "show what it is about"},
	}},
	{"Incident", []Key{{[]string{"u"}, "update"}, {[]string{"n"}, "note"}, {[]string{"s"}, "state"}, {[]string{"a"}, "I am on it"}}},
}

// keySheet lists every key.
func (c *Console) keySheet(w http.ResponseWriter, r *http.Request) {
	c.Page(w, r, Page{
		Title: "Keys", Template: "keys", Data: sheetsOfKeys,
		Sub: []string{"Single keys open and choose; they never publish, send or roll back. On other systems than a Mac, ⌘ is Ctrl."},
	})
}
