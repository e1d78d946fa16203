package app_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"evenkeel/internal/testkit"
)

// TestManualsNameWhatIsThere holds docs/ to what a hub really exports and checks.
func TestManualsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.redis = testkit.NewRedis(t, testkit.RedisOptions{}).URL
	h := boot(t, s, "page: {name: Example Ltd}\nmailboxes: [{name: support, url: \"imaps://a@127.0.0.1:1\", password: x}]\n")
	interfaces, operations := manual(t, "api.md"), manual(t, "operations.md")

	h.await("every check to report", func() bool { _, r := h.readiness(); return len(r.Checks) >= 10 })
	h.await("the mailbox to be looked at", func() bool { return h.check("mailbox support").Name != "" })
	var exported []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (evenkeel_\w+)`).FindAllStringSubmatch(h.ask("GET", h.admin+"/metrics", "").body, -1) {
		exported = append(exported, m[1])
		if !strings.Contains(interfaces, "| `"+m[1]+"` |") {
			t.Errorf("docs/api.md does not know the metric %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(evenkeel_\\w+)`").FindAllStringSubmatch(interfaces, -1) {
		if !slices.Contains(exported, m[1]) {
			t.Errorf("docs/api.md names the metric %s, which nothing exports", m[1])
		}
	}

	_, report := h.readiness()
	for _, c := range report.Checks {
		required := map[bool]string{true: "yes", false: "no"}[c.Required]
		if strings.HasPrefix(c.Name, "mailbox ") {
			c.Name = "mailbox NAME"
		}
		if row := "| `" + c.Name + "` | " + required + " |"; c.Name != "schedule" && !strings.Contains(operations, row) {
			t.Errorf("docs/operations.md lacks the row %s", row) // schedule is required only while this process watches
		}
	}
}

func manual(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
