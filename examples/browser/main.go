//go:build !js

// Command browser is an example: a page that verifies quotes in the browser,
// with Feidi's verifier as WebAssembly. What is dropped into it stays there.
//
//	go run ./examples/browser             # builds it, and serves it on this machine
//	go run ./examples/browser -o site     # builds it for any web server of static files
//
// Built for GOOS=js, this package is the verifier (main_js.go); else it is the
// program that builds and serves the page.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

//go:embed index.html sample
var page embed.FS

func main() {
	listen := flag.String("listen", "127.0.0.1:8086", "serve on this `address`")
	out := flag.String("o", "", "write the files into this `folder`, and serve nothing")
	flag.Parse()
	if err := run(*listen, *out); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

func run(listen, out string) error {
	if out != "" {
		return build(out)
	}
	dir, err := os.MkdirTemp("", "feidi-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// build writes the page, the verifier and Go's loader for it into a folder.
func build(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := copyPage(dir); err != nil {
		return err
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	loader, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "wasm_exec.js"), loader, 0o644); err != nil {
		return err
	}
	wasm, err := filepath.Abs(filepath.Join(dir, "feidi.wasm"))
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", wasm, "github.com/feidi-dev/feidi/examples/browser")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the verifier: %w\n%s", err, text)
	}
	return nil
}

// copyPage copies the page and its sample over what may be there.
func copyPage(dir string) error {
	return fs.WalkDir(page, ".", func(name string, d fs.DirEntry, err error) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(path, 0o755))
		}
		b, err := page.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o644)
	})
}
