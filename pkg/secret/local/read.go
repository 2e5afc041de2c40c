package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile is the size limit of AWS Secrets Manager, in bytes.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const maxFile = 64 << 10

// read returns the content of a file or pipe. Its errors do not name the path, because the caller does.
func read(path string) ([]byte, error) {
	content, err := readAll(path)
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return content, err
}

func readAll(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening it, because opening a device may have side effects
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() && mode.Type() != fs.ModeNamedPipe {
		return nil, errors.New("not a regular file or named pipe")
	}
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err == nil && len(content) > maxFile {
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	return content, err
}
