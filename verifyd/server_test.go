package verifyd_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/verifyd"
)

// start starts a server and returns its address, what stops it, and how it ends.
func start(t *testing.T, cfg verifyd.Config, drain time.Duration) (url string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- (&verifyd.Server{Handler: verifyd.NewHandler(cfg), Drain: drain}).Serve(ctx, l) }()
	return "http://" + l.Addr().String(), stop, ended
}

// slow is a source that says when it was asked, and waits to be let go.
func slow(collateral *dcap.Collateral) (s verifyd.Source, asked, goOn chan struct{}) {
	asked, goOn = make(chan struct{}, 1), make(chan struct{})
	return func(ctx context.Context, _ *dcap.Quote) (*dcap.Collateral, error) {
		asked <- struct{}{}
		select {
		case <-goOn:
			return collateral, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, asked, goOn
}

type reply struct {
	body string
	err  error
}

func send(url string, quote []byte) chan reply {
	c := make(chan reply, 1)
	go func() {
		resp, err := http.Post(url+"/v1/verify", rawType, bytes.NewReader(quote))
		if err != nil {
			c <- reply{"", err}
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		c <- reply{string(b), err}
	}()
	return c
}

// TestStop: what is under way is answered, and no more is taken.
func TestStop(t *testing.T) {
	q := pki.Platform().TDXQuote()
	cfg := config(t)
	source, asked, goOn := slow(q.Collateral())
	cfg.Source = source
	url, stop, ended := start(t, cfg, 0)
	answer := send(url, q.Bytes())
	<-asked
	stop()
	for { // until it takes no more
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ends with a request under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	if r := <-answer; r.err != nil || !strings.Contains(r.body, `"accepted": true`) {
		t.Errorf("%+v", r)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// TestStopInTime: what takes too long is broken off.
func TestStopInTime(t *testing.T) {
	cfg := config(t)
	source, asked, _ := slow(nil)
	cfg.Source = source
	url, stop, ended := start(t, cfg, 50*time.Millisecond)
	answer := send(url, pki.Platform().TDXQuote().Bytes())
	<-asked
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("it ends with %v", err)
	}
	if r := <-answer; r.err == nil {
		t.Errorf("an answer: %+v", r)
	}
}

func TestServeFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := (&verifyd.Server{Handler: verifyd.NewHandler(config(t))}).Serve(t.Context(), l); err == nil {
		t.Error("it serves without a listener")
	}
}
