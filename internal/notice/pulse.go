package notice

import (
	"context"
	"errors"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// pulseUnset is how often a heartbeat goes out unless its configuration says.
const pulseUnset = time.Minute

// beat sends one heartbeat out again and again while the hub is well, until ctx
// ends. It is not queued: a heartbeat that comes late is worse than none.
func (s *Sender) beat(ctx context.Context, p Pulse) {
	if p.Every <= 0 {
		p.Every = pulseUnset
	}
	state := PulseState{ID: p.ID}
	if known, err := s.desk.store.PulseStates(ctx); err == nil {
		for _, k := range known {
			if k.ID == p.ID {
				state = k
			}
		}
	}
	for ctx.Err() == nil {
		err := s.pulse(ctx, p)
		if ctx.Err() != nil {
			return
		}
		now := s.desk.now()
		switch {
		case err == nil:
			state.SentAt, state.FailingSince, state.Reason = now, time.Time{}, ""
		default:
			if state.FailingSince.IsZero() {
				state.FailingSince = now
			}
			state.Reason = clip(reasonOf(err))
			s.log.Warn("heartbeat not sent", "pulse", p.ID, "err", err)
		}
		if err := s.unit(ctx, func(tx journal.Tx) error { return s.desk.store.PutPulseState(ctx, tx, state) }); err != nil && ctx.Err() == nil {
			s.log.Warn("heartbeat not noted", "pulse", p.ID, "err", err)
		}
		pause(ctx, p.Every)
	}
}

// pulse sends one heartbeat, unless the hub is not well.
func (s *Sender) pulse(ctx context.Context, p Pulse) error {
	if s.healthy != nil {
		if err := s.healthy(); err != nil {
			return err
		}
	}
	channel, ok := s.channels(p.Channel)
	if !ok {
		return problem.NotFound("There is no channel %s.", p.Channel)
	}
	ctx, cancel := context.WithTimeout(ctx, min(sendWithin, p.Every))
	defer cancel()
	now, place := s.desk.now(), s.desk.setup.Load().Place
	_, err := channel.Send(ctx, Message{
		Delivery: Delivery{ID: journal.NewID(), Kind: kindPulse, Subject: journal.Ref{Kind: "deadman", ID: p.ID}, Channel: p.Channel, CreatedAt: now},
		Event:    Event{Kind: kindPulse, Subject: journal.Ref{Kind: "deadman", ID: p.ID}, Audience: ToStaff, Severity: SeverityInfo, At: now},
		To:       Recipient{Ref: "deadman/" + p.ID}, Page: place.Page, Hub: place.Hub, PageName: place.PageName, Simulated: place.Simulated, Attempt: 1,
	})
	return err
}

// reasonOf gives an error's words for staff.
func reasonOf(err error) string {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Reason
	}
	return problem.Public(err)
}
