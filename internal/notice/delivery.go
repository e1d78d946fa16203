package notice

import (
	"time"

	"evenkeel/internal/problem"
)

// deliveryInput is what can happen to a delivery.
type deliveryInput string

const (
	doClaim    deliveryInput = "claim"    // a worker takes it, also one whose claim ran out
	doTake     deliveryInput = "take"     // the channel took it
	doPostpone deliveryInput = "postpone" // later again: it failed, or was not begun
	doFail     deliveryInput = "fail"     // it cannot be delivered: a person must look
	doDrop     deliveryInput = "drop"     // it need not be delivered, for a reason
	doResend   deliveryInput = "resend"   // a person wants it tried again
	doDismiss  deliveryInput = "dismiss"  // a person has seen the dead letter
)

// deliveryTable is every transition of a delivery; what is missing is refused.
var deliveryTable = map[State]map[deliveryInput]State{
	Queued:     {doClaim: Sending, doFail: Failed, doDrop: Suppressed},
	Sending:    {doClaim: Sending, doTake: Sent, doPostpone: Retrying, doFail: Failed, doDrop: Suppressed},
	Retrying:   {doClaim: Sending, doFail: Failed, doDrop: Suppressed},
	Sent:       {},
	Failed:     {doResend: Queued, doDismiss: Suppressed},
	Suppressed: {doResend: Queued},
}

// move takes the delivery through the table, with the reason and the moment it is
// next due; what is final is never due. Errors: Conflict for what cannot happen.
func (d *Delivery) move(in deliveryInput, reason string, next time.Time) error {
	to, ok := deliveryTable[d.State][in]
	if !ok {
		return problem.Conflict("The delivery is %s.", d.State)
	}
	d.State, d.Reason, d.NextAt = to, reason, next
	if to.Final() {
		d.NextAt = time.Time{}
	}
	return nil
}
