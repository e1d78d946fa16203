package ingest

import (
	"fmt"
	"testing"

	"evenkeel/internal/inbox"
	"evenkeel/internal/ticket"
)

func TestMailsThatBelongTogetherShareALane(t *testing.T) {
	var tasks []*task
	add := func(from, id, answers string) {
		tasks = append(tasks, &task{mail: inbox.Mail{UID: uint32(len(tasks)), Hash: fmt.Sprint(len(tasks))}, read: &Reading{Incoming: ticket.Incoming{
			From: ticket.Address{Address: from}, MessageID: id, InReplyTo: answers}}})
	}
	for n := range 20 {
		add(fmt.Sprintf("a%d@example.org", n), fmt.Sprintf("%d", n), "")
	}
	add("b@example.org", "20", "3")   // answers 3
	add("c@example.org", "21", "20")  // answers that
	add("a7@example.org", "22", "21") // and a sender of before ties 7 to them
	tasks = append(tasks, &task{mail: inbox.Mail{UID: 23, Hash: "5"}, twin: "x"})
	lane := map[uint32]int{}
	got := lanes(tasks, 4)
	for l, list := range got {
		last := -1
		for _, task := range list {
			lane[task.mail.UID] = l
			if int(task.mail.UID) < last {
				t.Errorf("lane %d is out of order", l)
			}
			last = int(task.mail.UID)
		}
		if len(list) == 0 || len(list) > 10 {
			t.Errorf("lane %d has %d of %d", l, len(list), len(tasks))
		}
	}
	for _, together := range [][]uint32{{3, 20, 21, 22, 7}, {5, 23}} {
		for _, uid := range together {
			if lane[uid] != lane[together[0]] {
				t.Errorf("%v are in lanes %v", together, lane)
			}
		}
	}
	if len(lane) != len(tasks) {
		t.Errorf("%d of %d have a lane", len(lane), len(tasks))
	}
}
