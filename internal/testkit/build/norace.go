//go:build !race

package build

// RaceDetector is whether this binary, and each [Tested] program, has the race detector.
const RaceDetector = false
