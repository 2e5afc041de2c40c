package bench

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// BenchmarkSize reads the sizes of the files that make package built.
func BenchmarkSize(b *testing.B) {
	once(b, func() {
		for _, file := range []struct {
			name string
			goal float64 // MB; 0: none
		}{{name: "aws-api.zip", goal: 3.6}, {name: "aws-streamend.zip"}} {
			info, err := os.Stat("../../dist/" + file.name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				table.add(b, file.name, "missing: run make package", "", "", noGoal)
			case err != nil:
				b.Fatal(err)
			default:
				addSize(b, file.name, float64(info.Size()), file.goal)
			}
		}
		archive, err := zip.OpenReader("../../dist/tencent.zip")
		if err != nil {
			table.add(b, "tencent.zip", "missing: run make package", "", "", noGoal)
			return
		}
		defer archive.Close()
		for _, file := range archive.File {
			addSize(b, "tencent.zip, "+file.Name, float64(file.CompressedSize64), 5)
		}
	})
}

func addSize(b *testing.B, name string, bytes, limit float64) {
	size := bytes / 1e6
	if limit == 0 {
		table.add(b, name, fmt.Sprintf("%.2f MB", size), "", "", noGoal)
		return
	}
	table.add(b, name, fmt.Sprintf("%.2f MB", size), "", fmt.Sprintf("<= %.1f MB", limit), goal(size <= limit))
}
