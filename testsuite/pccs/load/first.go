package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"time"
)

// first starts a command several times, and tells how long each time it took to the
// first answer 200 of a URL.
func first(ctx context.Context, out io.Writer, times int, url string, command []string) error {
	var took []time.Duration
	for range times {
		d, err := once(ctx, url, command)
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	fmt.Fprintf(out, "first answer after %v (median of %d; %v to %v)\n", quantile(took, 0.5), times, took[0], took[len(took)-1])
	return nil
}

// once starts it once, and stops it.
func once(ctx context.Context, url string, command []string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for {
		_, err := get(ctx, client, url)
		took := time.Since(began)
		if err != nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		client.CloseIdleConnections()
		stop(cmd)
		_ = cmd.Wait() // it was stopped
		if err != nil {
			return 0, fmt.Errorf("no answer of %s in %v: %w", url, patience, err)
		}
		return took.Round(10 * time.Microsecond), nil
	}
}
