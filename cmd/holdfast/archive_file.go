package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// archiveFile is a file of gzipped lines. It is made when the first is written, and never over another.
type archiveFile struct {
	path string
	file *os.File
	gzip *gzip.Writer
}

func (a *archiveFile) Write(p []byte) (int, error) {
	if a.file == nil {
		file, err := os.OpenFile(a.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return 0, fmt.Errorf("%s is there already: name a file that is not", a.path)
		}
		if err != nil {
			return 0, err
		}
		a.file, a.gzip = file, gzip.NewWriter(file)
		if err := syncFolder(filepath.Dir(a.path)); err != nil {
			return 0, err
		}
	}
	return a.gzip.Write(p)
}

// syncFolder returns when what a folder lists is on the disk: without, a file can be gone after a power cut that was
// written to the disk itself.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Sync returns when all that was written is on the disk.
func (a *archiveFile) Sync() error {
	if a.file == nil {
		return nil
	}
	return errors.Join(a.gzip.Flush(), a.file.Sync())
}

func (a *archiveFile) Close() error {
	if a.file == nil {
		return nil
	}
	return errors.Join(a.gzip.Close(), a.file.Sync(), a.file.Close())
}
