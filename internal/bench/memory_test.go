package bench

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// residentPeak is the most memory in MB that a process has had in use. Of the usage that a parent is told after the end, a part
// would be the parent's own.
func residentPeak(b *testing.B, pid int) float64 {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); name == "VmHWM" {
			kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes * 1024 / 1e6
		}
	}
	b.Fatal("the system does not tell the peak")
	return 0
}
