//go:build feidi_release && linux && amd64

package images

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// The files are not in the tree: internal/release makes them and gives them to the
// go command as an overlay. Without it the build stops here.
//
//go:embed programs/*.gz
var programs embed.FS

// embedded returns a program that this release has in it, nil if it has not.
func embedded(name string) ([]byte, error) {
	var against []byte
	if name != base {
		var err error
		if against, err = embedded(base); err != nil {
			return nil, err
		}
	}
	packed, err := programs.ReadFile("programs/" + name + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := unpack(against, packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, name)
	}
	return b, nil
}
