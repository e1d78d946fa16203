package access

import "slices"

// Role is a named set of permissions. The list grows by rows in the table below.
type Role string

// The roles. Machine tokens are never people, and people never hold machine.
const (
	RoleAnyone         Role = "anyone" // a visitor without an account
	RoleViewer         Role = "viewer"
	RoleSupport        Role = "support"
	RoleOperator       Role = "operator"
	RoleDeveloper      Role = "developer"
	RoleModuleLead     Role = "module_lead"
	RoleQA             Role = "qa"
	RoleSRE            Role = "sre"
	RoleProduct        Role = "product"
	RoleReleaseManager Role = "release_manager"
	RoleManager        Role = "manager"
	RoleClient         Role = "client" // somebody outside who signs things off
	RoleAdmin          Role = "admin"
	RoleScreen         Role = "screen"  // a screen on a wall, let in by a link; never a person
	RoleMachine        Role = "machine" // the hub's own loops, and tokens of bots and CI jobs
	RoleHost           Role = "host"    // whoever holds the machine: the configuration file, the command line, the admin listener
)

// People lists the roles that a person can be granted.
func People() []Role {
	return []Role{
		RoleViewer, RoleSupport, RoleOperator, RoleDeveloper, RoleModuleLead, RoleQA, RoleSRE, RoleProduct,
		RoleReleaseManager, RoleManager, RoleClient, RoleAdmin,
	}
}

// Action is one thing that can be done, named noun.verb.
type Action string

// The actions.
const (
	PageRead Action = "page.read"
	WallRead Action = "wall.read" // the wall, with what a viewer may see of it, and nothing else

	SetupApply    Action = "setup.apply"
	StatusObserve Action = "status.observe"
	StatusConfirm Action = "status.confirm"
	ComponentRead Action = "component.read"
	ComponentEdit Action = "component.edit" // create and change components and monitors outside the file
	MonitorRead   Action = "monitor.read"
	MonitorRun    Action = "monitor.run"
	AlertSilence  Action = "alert.silence"     // keep alerts of a component quiet for a while
	AlertAck      Action = "alert.acknowledge" // stop reminders and escalation of an alert
	MonthCorrect  Action = "month.correct"     // mark a false alarm, correct uptime in the open

	MaintainRead Action = "maintenance.read"
	MaintainEdit Action = "maintenance.edit" // plan, move, extend, cancel, complete
	MaintainRun  Action = "maintenance.run"  // the clock that starts and ends it

	IncidentRead    Action = "incident.read"
	IncidentPrivate Action = "incident.private" // see and work on private incidents
	IncidentDeclare Action = "incident.declare"
	IncidentUpdate  Action = "incident.update" // publish, change state, impact and components, merge
	IncidentNote    Action = "incident.note"   // internal notes, tasks, roles, links
	IncidentReview  Action = "incident.review" // write and publish the postmortem

	DeliveryRead   Action = "delivery.read"
	DeliveryResend Action = "delivery.resend"
	ChannelTest    Action = "channel.test" // test sends and drills
	OnCallRead     Action = "oncall.read"
	OnCallOverride Action = "oncall.override"
	SubscriberRead Action = "subscriber.read"
	SubscriberEdit Action = "subscriber.edit"

	TicketRead   Action = "ticket.read"
	TicketOpen   Action = "ticket.open"   // for somebody who called, or by API
	TicketAnswer Action = "ticket.answer" // write to requesters, move, assign, tag, merge, split
	TicketNote   Action = "ticket.note"   // internal notes, mentions
	TicketLink   Action = "ticket.link"   // to incidents; decide about proposals
	TicketErase  Action = "ticket.erase"  // erase a requester, delete tickets
	TicketSetup  Action = "ticket.setup"  // saved replies, views of all, templates
	MailboxRead  Action = "mailbox.read"  // the ledger: every mail and its fate
	MailboxRun   Action = "mailbox.run"   // try again, set aside, walk back
	MailRaw      Action = "mail.raw"      // the raw source of a mail

	JournalRead Action = "journal.read"
	PersonRead  Action = "person.read"
	PersonEdit  Action = "person.edit"
	TokenEdit   Action = "token.edit"
	HookEdit    Action = "hook.edit"
)

// staff is everybody inside, machines included; hands run things; voices may also
// speak to customers; owners give rights away; desk answers those who write in.
var (
	staff = []Role{
		RoleViewer, RoleSupport, RoleOperator, RoleDeveloper, RoleModuleLead, RoleQA, RoleSRE, RoleProduct,
		RoleReleaseManager, RoleManager, RoleAdmin, RoleMachine, RoleHost,
	}
	hands  = []Role{RoleOperator, RoleSRE, RoleAdmin, RoleMachine, RoleHost}
	voices = append(slices.Clone(hands), RoleSupport, RoleReleaseManager, RoleManager)
	owners = []Role{RoleAdmin, RoleHost}
	desk   = []Role{RoleSupport, RoleOperator, RoleSRE, RoleManager, RoleAdmin, RoleMachine, RoleHost}
)

// table is the whole of who may do what: one row an action.
var table = map[Action][]Role{
	PageRead: append(slices.Clone(staff), RoleAnyone, RoleClient),
	WallRead: append(slices.Clone(staff), RoleScreen),

	SetupApply:    {RoleHost},
	StatusObserve: {RoleMachine},
	StatusConfirm: hands,
	ComponentRead: staff,
	ComponentEdit: {RoleOperator, RoleSRE, RoleAdmin, RoleHost},
	MonitorRead:   staff,
	MonitorRun:    append(slices.Clone(hands), RoleDeveloper, RoleModuleLead, RoleQA),
	AlertSilence:  hands,
	AlertAck:      append(slices.Clone(hands), RoleDeveloper, RoleModuleLead, RoleQA, RoleSupport, RoleReleaseManager, RoleManager),
	MonthCorrect:  {RoleOperator, RoleSRE, RoleManager, RoleAdmin, RoleHost},

	MaintainRead: staff,
	MaintainEdit: append(slices.Clone(hands), RoleReleaseManager, RoleModuleLead),
	MaintainRun:  {RoleMachine, RoleHost},

	IncidentRead:    staff,
	IncidentPrivate: {RoleOperator, RoleSRE, RoleSupport, RoleManager, RoleAdmin, RoleMachine, RoleHost},
	IncidentDeclare: append(slices.Clone(voices), RoleDeveloper, RoleModuleLead, RoleQA),
	IncidentUpdate:  voices,
	IncidentNote:    append(slices.Clone(voices), RoleDeveloper, RoleModuleLead, RoleQA, RoleProduct),
	IncidentReview:  append(slices.Clone(voices), RoleModuleLead, RoleProduct),

	DeliveryRead:   staff,
	DeliveryResend: hands,
	ChannelTest:    hands,
	OnCallRead:     staff,
	OnCallOverride: append(slices.Clone(hands), RoleManager),
	SubscriberRead: {RoleSupport, RoleOperator, RoleSRE, RoleManager, RoleAdmin, RoleMachine, RoleHost},
	SubscriberEdit: {RoleSupport, RoleOperator, RoleSRE, RoleAdmin, RoleMachine, RoleHost},

	TicketRead:   append(slices.Clone(desk), RoleDeveloper, RoleModuleLead, RoleQA, RoleProduct, RoleReleaseManager),
	TicketOpen:   append(slices.Clone(desk), RoleDeveloper, RoleModuleLead, RoleQA, RoleProduct, RoleReleaseManager),
	TicketAnswer: desk,
	TicketNote:   append(slices.Clone(desk), RoleDeveloper, RoleModuleLead, RoleQA, RoleProduct, RoleReleaseManager),
	TicketLink:   append(slices.Clone(desk), RoleReleaseManager),
	TicketErase:  {RoleManager, RoleAdmin, RoleHost},
	TicketSetup:  {RoleSupport, RoleManager, RoleAdmin, RoleHost},
	MailboxRead:  desk,
	MailboxRun:   {RoleSupport, RoleOperator, RoleSRE, RoleAdmin, RoleMachine, RoleHost},
	MailRaw:      {RoleSupport, RoleOperator, RoleSRE, RoleManager, RoleAdmin, RoleHost},

	JournalRead: {RoleOperator, RoleDeveloper, RoleModuleLead, RoleQA, RoleSRE, RoleProduct, RoleReleaseManager, RoleManager, RoleAdmin, RoleMachine, RoleHost},
	PersonRead:  {RoleManager, RoleAdmin, RoleHost},
	PersonEdit:  owners,
	TokenEdit:   owners,
	HookEdit:    owners,
}
