// Cmd draws pictures of texts: of each FILE.txt it makes FILE.svg. See package
// picture for what is in them.
//
//	go run ./internal/picture/cmd docs/pictures/*.txt
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/feidi-dev/feidi/internal/picture"
)

func main() {
	for _, file := range os.Args[1:] {
		if err := draw(file); err != nil {
			fmt.Fprintf(os.Stderr, "picture: %v\n", err)
			os.Exit(1)
		}
	}
}

func draw(file string) error {
	to, ok := strings.CutSuffix(file, ".txt")
	if !ok {
		return fmt.Errorf("%s: not a file of a name that ends in .txt", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	svg, err := picture.Draw(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(to+".svg", svg, 0o644)
}
