// Show prints the MRENCLAVE of system enclaves, as this program gets them. It is a
// stand-in for the feidi command in tests. Its arguments are a directory for the
// cache and names of enclaves.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/images"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

func main() {
	if err := show(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(cache string, names []string) error {
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, e := range build.All {
			if e.Name != name {
				continue
			}
			start := time.Now()
			img, err := images.Image(context.Background(), e, key, time.Now(), images.Options{Cache: cache, Log: os.Stderr})
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s: %d ms\n", name, time.Since(start).Milliseconds())
			fmt.Printf("%x  %s\n", measure.Image(img), name)
		}
	}
	return nil
}
