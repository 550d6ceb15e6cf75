package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// warning is the first field of each file, for people who look into it.
const warning = "SOFTWARE - NOT HARDWARE: these keys protect nothing from who can read this file"

// maxFile bounds what is read of a file, in bytes. A platform takes 500.
const maxFile = 64 << 20

// How long a process waits before it looks again whether it may change the world,
// and how long in all.
const (
	lockPause    = 5 * time.Millisecond
	lockPatience = 10 * time.Second
)

// octets are bytes that are written in hexadecimal.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, o), nil }

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// field is a field of a file that has so many bytes.
type field struct {
	name string
	from octets
	to   []byte
}

// readFields copies fields to where they go, if they have the right sizes.
func readFields(fields ...field) error {
	for _, f := range fields {
		if len(f.from) != len(f.to) {
			return fmt.Errorf("%s has %d bytes, and not %d", f.name, len(f.from), len(f.to))
		}
		copy(f.to, f.from)
	}
	return nil
}

// sealed is what a file holds. The checksum finds damage that leaves the JSON
// valid, such as another digit of a key.
type sealed interface{ checksum() *octets }

// encode returns the file of v, and sets its checksum.
func encode(v sealed) ([]byte, error) {
	sum, err := sumOf(v)
	if err != nil {
		return nil, err
	}
	*v.checksum() = sum
	b, err := json.MarshalIndent(v, "", "\t")
	return append(b, '\n'), err
}

// sumOf returns the SHA-256 of what v holds besides its checksum.
func sumOf(v sealed) (octets, error) {
	kept := *v.checksum()
	defer func() { *v.checksum() = kept }()
	*v.checksum() = nil
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// decode reads a file into v.
func decode(path string, b []byte, v sealed) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return damaged(path, "it ends too early")
		}
		return damaged(path, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return damaged(path, "something follows its end")
	}
	sum, err := sumOf(v)
	if err != nil {
		return damaged(path, "%v", err)
	}
	if !bytes.Equal(sum, *v.checksum()) {
		return damaged(path, "its SHA-256 is not the one in it")
	}
	return nil
}

// readFile reads a file that is not too large.
func readFile(path string) ([]byte, error) {
	b, err := atomicfile.Read(path, maxFile)
	if errors.Is(err, atomicfile.ErrTooLarge) {
		return nil, damaged(path, "it has more than %d bytes", maxFile)
	}
	return b, err
}

// notThere reports whether there is no such file, or no such directory.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
