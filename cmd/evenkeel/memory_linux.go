package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseCode lets go of the program's own pages that were read in: a start
// runs through code and tables that nothing uses again, about half of what is
// resident of the file. What is used comes back from the page cache by itself,
// for the cost of a minor fault. A hub that cannot do this does without.
func releaseCode() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if !strings.HasSuffix(lines.Text(), program) {
			continue
		}
		var from, to uintptr
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil || !strings.HasPrefix(rights, "r-") {
			continue // pages that were written to are nowhere but here
		}
		// Read-only and private to the file: dropping them loses nothing.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
	}
}
