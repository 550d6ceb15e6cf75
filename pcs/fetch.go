package pcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// request is one document to get.
type request struct {
	what    string // for messages
	service service
	url     string
	header  http.Header // besides what every request has; names are canonical
	chain   []string    // names of the header with the issuer chain, the usual one first; nil if there is none
	keep    []string    // names of other headers that matter
	most    int64       // bytes of the reply
	maxAge  time.Duration
	// read makes of a reply the document, and says until when it is good:
	// the zero time if it does not say.
	read func(body []byte) (doc []byte, nextUpdate time.Time, err error)
}

// reply is what a service answered.
type reply struct {
	body   []byte
	header http.Header
}

// fetch asks until there is a reply, or no more hope of one.
func (c *Client) fetch(ctx context.Context, r *request) (*reply, *Error) {
	for n := 1; ; n++ {
		got, err := c.exchange(ctx, r, http.StatusOK, "", nil)
		if err == nil {
			return got, nil
		}
		err.Attempts = n
		if n == c.cfg.Attempts || !err.temporary() {
			return nil, err
		}
		wait := c.backoff(n)
		if err.RetryAfter > c.cfg.MaxDelay {
			return nil, err // to ask before is of no use
		}
		wait = max(wait, err.RetryAfter)
		if deadline, ok := ctx.Deadline(); ok && wait >= time.Until(deadline) {
			return nil, err // it would end while waiting; this says why
		}
		if c.sleep(ctx, wait) != nil {
			err.Err = errors.Join(context.Cause(ctx), err.Err)
			return nil, err
		}
	}
}

// backoff is how long to wait after the n-th attempt: twice as long each time,
// less up to a half by chance, so that many who failed together come apart.
func (c *Client) backoff(n int) time.Duration {
	d := c.cfg.MaxDelay
	if n <= 20 {
		d = min(d, c.cfg.FirstDelay<<(n-1))
	}
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// exchange sends a request once, GET or POST of a body, and wants a reply of a
// status.
func (c *Client) exchange(ctx context.Context, r *request, want int, media string, body []byte) (*reply, *Error) {
	e := &Error{Document: r.what, URL: r.url, Attempts: 1}
	once, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(once, method, r.url, bytes.NewReader(body))
	if err != nil {
		e.Kind, e.Reason = ErrBadRequest, "its address is no URL"
		return nil, e
	}
	e.URL = redact(req.URL)
	maps.Copy(req.Header, r.header)
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if id, ok := ctx.Value(requestID{}).(string); ok {
		req.Header.Set(headerRequestID, id)
	}
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		e.noReply(ctx, err, c.cfg.Timeout)
		return nil, e
	}
	defer resp.Body.Close()
	e.Status, e.RequestID = resp.StatusCode, line(resp.Header.Get(headerRequestID))
	if resp.StatusCode != want {
		e.refused(r, resp, c.cfg.Now())
		return nil, e
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, r.most+1))
	switch {
	case err != nil:
		e.Status = 0 // the reply did not come whole
		e.noReply(ctx, err, c.cfg.Timeout)
		return nil, e
	case int64(len(got)) > r.most:
		e.Kind, e.Reason = ErrTooLarge, fmt.Sprintf("more than %d bytes", r.most)
		e.Advice = "is this the address of a PCS or PCCS?"
		return nil, e
	}
	return &reply{body: got, header: resp.Header}, nil
}

// refused fills in what a reply with another status than 200 says.
func (e *Error) refused(r *request, resp *http.Response, now time.Time) {
	const most = 4 << 10 // of a message
	body, _ := io.ReadAll(io.LimitReader(resp.Body, most))
	e.Reason = said(body)
	if code := resp.Header.Get("Error-Code"); code != "" {
		e.Reason = line(code + ": " + resp.Header.Get("Error-Message"))
	}
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	e.Kind = kindOf(resp.StatusCode, r.service, e.Reason)
	e.Advice = advice(e, r)
}

// retryAfter reads that header: seconds, or a date (RFC 9110 §10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// said is the message in the body of an error: a line of text, or what stands
// between the tags of a page.
func said(body []byte) string {
	s := strings.TrimSpace(string(body))
	if !strings.HasPrefix(s, "<") {
		return line(s)
	}
	if _, rest, ok := strings.Cut(s, "<pre>"); ok {
		s, _, _ = strings.Cut(rest, "<")
		return line(s)
	}
	if _, rest, ok := strings.Cut(s, "<title>"); ok {
		s, _, _ = strings.Cut(rest, "<")
		return line(s)
	}
	return "a page of HTML"
}
