package public

// Acknowledging asks somebody of the staff, who followed the link of a message,
// whether they take the alert: mail programs follow links by themselves, so that
// following one decides nothing. Errors: Internal.
func (p *Photographer) Acknowledging(action string) (Answer, error) {
	return p.step("acknowledging", "", action)
}

// Acknowledged tells that somebody has it. Errors: Internal.
func (p *Photographer) Acknowledged() (Answer, error) { return p.step("acknowledged", "", "") }
