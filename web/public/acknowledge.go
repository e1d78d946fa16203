package public

// Acknowledging asks somebody of the staff, who followed the link of a message,
// whether they take the alert: mail programs follow links by themselves, so that
// following one decides nothing. Errors: Internal.
func (p *Photographer) Acknowledging(action string) (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "Are you on it?", "One click.", "Reminders stop, nobody else is called, and those who were told hear that you look after it.")
	d.Action, d.Button = action, "I am on it"
	return p.answer(p.stage.page("subscription", d))
}

// Acknowledged tells that somebody has it. Errors: Internal.
func (p *Photographer) Acknowledged() (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "It is yours.", "Reminders have stopped.", "Those who were told hear that you look after it.")
	return p.answer(p.stage.page("subscription", d))
}
