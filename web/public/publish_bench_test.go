package public

import (
	"fmt"
	"testing"
	"time"

	"evenkeel/web/public/publictest"
)

// What a published update costs before everybody sees it: the front page, the
// JSON and the feeds of a large page of which one incident changed.
func BenchmarkPublishUpdate(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := photographer(b, "")
			page := publictest.Storm(publictest.Large(n), 1, 5, 300)
			board := publictest.NewBoard(page)
			p.Attach(board, nil)
			if err := p.publish(publictest.Minute); err != nil {
				b.Fatal(err)
			}
			k := 0
			for b.Loop() {
				k++
				next := *page
				next.Incidents = append(next.Incidents[:0:0], next.Incidents...)
				next.Incidents[0].Name = fmt.Sprint("Now it is ", k)
				next.Recent = next.Incidents
				next.Changed = next.Changed.Add(time.Duration(k) * time.Second)
				board.Show(&next)
				if err := p.publish(publictest.Minute); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
