package public

import (
	"testing"

	"evenkeel/assets"
	"evenkeel/web/public/publictest"
)

// The promises of the first load: one request, so many bytes of brotli.
const (
	mostAtHundred  = 12_000
	mostAtThousand = 45_000
)

// mostTold is how many bytes of brotli open incidents add at the very most, when
// the words of twenty of them are so long and so random that nothing compresses.
const mostTold = 8_000

func TestFrontPageIsBoundedWhenEverythingIsOnFire(t *testing.T) {
	if !assets.Built() {
		t.Skip("SKIP: the stylesheets are not built; npm ci and npm run build do that")
	}
	for _, c := range []struct{ open, updates, letters, most int }{
		{1, 3, 200, mostAtHundred + 1_500}, {20, 200, 15_000, mostAtHundred + mostTold}, {20, 200, 300, mostAtHundred + mostTold},
	} {
		s := newStage(everyWay)
		sheet, err := s.front(publictest.Storm(publictest.Large(100), c.open, c.updates, c.letters), &rows{stage: s})
		if err != nil {
			t.Fatal(err)
		}
		var room darkroom
		best := room.polish(room.develop("/", sheet, publictest.Minute))
		t.Logf("100 components, %d open incidents with %d updates of %d letters: %d bytes plain, %d br", c.open, c.updates, c.letters, len(sheet.body), best.Encoded())
		if best.Encoded() > c.most {
			t.Errorf("%d bytes of brotli, want at most %d", best.Encoded(), c.most)
		}
	}
}

func TestFrontPageIsSmall(t *testing.T) {
	if !assets.Built() {
		t.Skip("SKIP: the stylesheets are not built; npm ci and npm run build do that")
	}
	for _, c := range []struct{ components, most int }{{100, mostAtHundred}, {1000, mostAtThousand}} {
		s := newStage(everyWay)
		sheet, err := s.front(publictest.Large(c.components), &rows{stage: s})
		if err != nil {
			t.Fatal(err)
		}
		var room darkroom
		quick := room.develop("/", sheet, publictest.Minute)
		best := room.polish(quick)
		t.Logf("%d components: %d bytes plain, %d gzip, %d br at once; %d gzip, %d br when idle",
			c.components, len(sheet.body), len(quick.bodies[gzipped]), quick.Encoded(), len(best.bodies[gzipped]), best.Encoded())
		if best.Encoded() > c.most {
			t.Errorf("%d components: %d bytes of brotli, want at most %d", c.components, best.Encoded(), c.most)
		}
	}
}
