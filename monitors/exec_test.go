package monitors

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// sh is a monitor that runs a line of shell, in the way a plugin is run.
func sh(line string) config.Monitor {
	return config.Monitor{Kind: "exec", Command: []string{"/bin/sh", "-c", line}}
}

func TestExecExitCodesMeanWhatTheGuidelinesSay(t *testing.T) {
	for _, row := range []struct {
		line    string
		outcome status.Outcome
		cause   status.Cause
		reason  string
		code    int
	}{
		{"echo OK; exit 0", status.OK, status.CauseNone, "", 0},
		{"echo 'DISK WARNING - 9% free'; exit 1", status.Slow, status.CauseThreshold, "warning: DISK WARNING - 9% free", 1},
		{"echo 'DISK CRITICAL'; exit 2", status.Failed, status.CauseBadAnswer, "critical: DISK CRITICAL", 2},
		{"echo 'no such disk'; exit 3", status.Inconclusive, status.CauseSelf, "cannot tell: no such disk", 3},
		{"exit 42", status.Failed, status.CauseBadAnswer, "exit code 42", 42},
		{"kill -9 $$", status.Failed, status.CauseBadAnswer, "ended by a signal: signal: killed", -1},
	} {
		res := ask(t, sh(row.line))
		wantResult(t, res, row.outcome, row.cause, row.reason)
		if res.Code != row.code {
			t.Errorf("%s: code %d, want %d", row.line, res.Code, row.code)
		}
	}
	res := ask(t, config.Monitor{Kind: "exec", Command: []string{"/nonexistent/check_disk"}})
	wantResult(t, res, status.Inconclusive, status.CauseSelf, "starting /nonexistent/check_disk: no such file or directory")
}

// TestExecRecordsAValue covers value monitors by plugins (S1-20, S4-30).
func TestExecRecordsAValue(t *testing.T) {
	spec := sh("echo \"OK | 'load 1'=0.5;2;4 load5=1.5 'free space'=93%;@0:5\"")
	spec.Value = config.Value{Label: "load5", Unit: "load", FailOver: new(1.0)}
	res := ask(t, spec)
	wantResult(t, res, status.Failed, status.CauseThreshold, "load5 is 1.5 load, over the limit of 1 load")
	if !res.HasValue || res.Value != 1.5 || res.Facts.Numbers["perfdata_load_1"] != 0.5 || res.Facts.Numbers["perfdata_free_space"] != 93 {
		t.Errorf("value %v, facts %v", res.Value, res.Facts.Numbers)
	}
	spec.Value = config.Value{Label: "load15"}
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, `no figure "load15"`)
	spec.Value = config.Value{Unit: "load"} // the first figure
	if res := ask(t, spec); res.Outcome != status.OK || res.Value != 0.5 {
		t.Errorf("got %s, value %v; want ok, 0.5", res.Outcome, res.Value)
	}
}

func TestExecEnvironmentHoldsNothingOfTheHubs(t *testing.T) {
	t.Setenv("EVENKEEL_TOKEN", "of-the-hub")
	t.Setenv("DISK_PASSWORD", "only-this-one")
	spec := sh(`env | sed 's/=.*//' | sort | tr '\n' ' '; [ "$PASSWORD" = only-this-one ] || exit 2; echo "$PASSWORD"`)
	spec.Env = map[string]string{"PASSWORD": "${DISK_PASSWORD}"}
	res := ask(t, spec)
	wantResult(t, res, status.OK, status.CauseNone, "")
	log := strings.Join(res.Facts.Log, "\n")
	if strings.Contains(log, "TOKEN") || strings.Contains(log, "only-this-one") || !strings.Contains(log, "EVENKEEL_RUN LANG LC_ALL PASSWORD PATH PWD") {
		t.Errorf("the command saw:\n%s", log)
	}
}

func TestExecTalkativeCommandIsNotRemembered(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res := ask(t, sh("head -c 50000000 /dev/zero | tr '\\0' x; head -c 5000000 /dev/zero >&2; exit 1"))
	runtime.ReadMemStats(&after)
	if res.Outcome != status.Slow || len(res.Reason) > maxReason {
		t.Errorf("got %s, a reason of %d bytes", res.Outcome, len(res.Reason))
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 20<<20 {
		t.Errorf("allocated %d MiB for 55 MB of output", grown>>20)
	}
}

// children runs a command that writes the ids of the processes it starts, and
// gives the result and those ids.
func children(t *testing.T, line string, limit time.Duration) (status.Result, []int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pids")
	spec := sh(line)
	spec.Env = map[string]string{"PIDS": file}
	res := askWithin(t, spec, limit)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, w := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		t.Fatal("the command started nothing")
	}
	return res, pids
}

// allGone waits until none of the processes runs any more; dead ones that nobody
// has waited for count as gone.
func allGone(t *testing.T, pids []int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left := slices.DeleteFunc(slices.Clone(pids), func(pid int) bool {
			stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			_, rest, _ := strings.Cut(string(stat), ") ")
			return err != nil || strings.HasPrefix(rest, "Z")
		})
		if len(left) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("still running: %v", left)
		case <-tick.C:
		}
	}
}

func TestExecTimeoutKillsEveryChild(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIP: there is no /proc here")
	}
	res, pids := children(t, `sleep 300 & echo $! $$ >> $PIDS; (sleep 300 & echo $! >> $PIDS; sleep 300); echo never`, quick)
	wantResult(t, res, status.Failed, status.CauseNoAnswer, "did not finish in time and was killed")
	allGone(t, pids)
}

func TestExecChildThatLeavesItsGroupIsFound(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIP: there is no /proc here")
	}
	res, pids := children(t, `setsid sh -c 'echo $$ >> $PIDS; sleep 300; true' & echo OK; while ! [ -s $PIDS ]; do :; done; exit 0`, 10*time.Second)
	wantResult(t, res, status.OK, status.CauseNone, "")
	allGone(t, pids)
}

func TestExecForkBombEndsWithItsRun(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIP: there is no /proc here")
	}
	// Each shell starts the next one and stays: it would never end by itself. The pause keeps it a small bomb.
	res, pids := children(t, `bomb() { sh -c 'echo $PPID' >> $PIDS; sleep 0.02; bomb & sleep 300; }; bomb`, quick)
	if res.Outcome != status.Failed {
		t.Errorf("got %s", res.Outcome)
	}
	allGone(t, pids)
}

// An orphan that held the run up would end it by its time limit: failed.
func TestExecOrphanThatHoldsTheOutputIsKilled(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIP: there is no /proc here")
	}
	res, pids := children(t, `sleep 300 & echo $! >> $PIDS; echo "OK | a=1"; exit 0`, 10*time.Second)
	wantResult(t, res, status.OK, status.CauseNone, "")
	allGone(t, pids)
}
