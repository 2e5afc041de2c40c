package bench

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// residentPeak returns the peak memory of a process in MB. It reads /proc, because the usage that a parent gets after the end
// includes some of the parent's own memory.
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
	b.Fatal("/proc does not show the peak memory")
	return 0
}

// processorTime returns the time that a process has spent on a processor.
func processorTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all architectures with Linux that Go supports
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var total time.Duration
	for _, text := range fields[11:13] { // utime and stime
		ticks, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		total += time.Duration(ticks) * tick
	}
	return total
}
