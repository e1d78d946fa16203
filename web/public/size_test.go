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

func TestFrontPageIsSmall(t *testing.T) {
	if !assets.Built() {
		t.Skip("SKIP: the stylesheets are not built; npm ci and npm run build do that")
	}
	for _, c := range []struct{ components, most int }{{100, mostAtHundred}, {1000, mostAtThousand}} {
		s := newStage()
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
