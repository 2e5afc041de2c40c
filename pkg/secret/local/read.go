package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile is as much as AWS Secrets Manager takes, in bytes.
// Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const maxFile = 64 << 10

// read gives the content of a file or pipe. Its errors leave the path to the caller.
func read(path string) ([]byte, error) {
	content, err := readAll(path)
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		err = inPath.Err
	}
	return content, err
}

func readAll(path string) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened, because opening some devices has effects
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() && mode.Type() != fs.ModeNamedPipe {
		return nil, errors.New("it is neither a regular file nor a pipe")
	}
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err == nil && len(content) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return content, err
}
