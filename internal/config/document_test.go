package config

import "testing"

func TestPlacesOfPaths(t *testing.T) {
	doc, problems := open("evenkeel.yaml", []byte(`x-shared: &shared
  kind: tcp
  expect: {status: [200]}
monitors:
  - id: a
    <<: *shared
    headers:
      X.Y: one
      X: {Z: two}
  - *shared
`))
	if problems != nil {
		t.Fatal(problems)
	}
	for path, want := range map[string]place{
		"monitors":                     {5, 3},
		"monitors[0].id":               {5, 9},
		"monitors[0].kind":             {2, 9}, // merged: where it is written
		"monitors[0].expect.status[0]": {3, 21},
		"monitors[0].headers.X.Y":      {8, 12}, // the longest key that fits
		"monitors[0].headers.X.Z":      {9, 14},
		"monitors[1].kind":             {2, 9},
	} {
		if got, there := doc.at(path); got != want || !there {
			t.Errorf("%s: got %v, %v, want %v", path, got, there, want)
		}
	}
	// What is not there is shown at the nearest thing above it.
	for path, want := range map[string]place{
		"page.name": {1, 1}, "monitors[0].url": {5, 5}, "monitors[7].id": {5, 3}, "monitors[x]": {5, 3}, "monitors[0].id.deeper": {5, 9}, "": {1, 1},
	} {
		got, there := doc.at(path)
		if got != want || there != (path == "") {
			t.Errorf("%s: got %v, %v, want %v", path, got, there, want)
		}
	}
}
