package verifyd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// answer reads a request, verifies its quote and judges it.
func (h *Handler) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) (*wire.Answer, *failure) {
	q, failed := h.read(w, r)
	if failed != nil {
		return nil, failed
	}
	parsed, err := dcap.ParseQuote(q.Quote)
	if err != nil {
		return nil, &failure{http.StatusBadRequest, malformed, err}
	}
	if q.Collateral == nil {
		if q.Collateral, failed = h.collateral(ctx, parsed); failed != nil {
			return nil, failed
		}
	}
	if q.At.IsZero() {
		q.At = h.cfg.Now()
	}
	select {
	case h.workers <- struct{}{}:
		defer func() { <-h.workers }()
	case <-ctx.Done():
		return nil, &failure{http.StatusServiceUnavailable, gone, fmt.Errorf("waiting for a processor: %w", ctx.Err())}
	}
	start := time.Now()
	result, _ := h.cfg.Verifier.Verify(q.Quote, q.Collateral, q.At) // the result has the error
	h.metrics.verified(result.Status.String(), time.Since(start))
	a := h.cfg.Judge.Answer(result, q.ReportData)
	if r.URL.Query().Has("explain") {
		a.Explanation = result.Explain()
	}
	return a, nil
}

// read reads a request in either form.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (*wire.Request, *failure) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	most := h.cfg.MaxBody
	switch {
	case err == nil && kind == "application/json":
	case err == nil && kind == "application/octet-stream":
		most = min(most, wire.MaxText)
	default:
		return nil, &failure{http.StatusUnsupportedMediaType, malformed, errors.New("the content type is to be application/json, or application/octet-stream for a quote alone")}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &failure{http.StatusRequestEntityTooLarge, malformed, fmt.Errorf("the request is larger than the limit of %d bytes", most)}
	case err != nil:
		return nil, &failure{http.StatusBadRequest, gone, fmt.Errorf("reading the request: %w", err)}
	}
	var q *wire.Request
	if kind == "application/json" {
		q, err = wire.ParseRequest(body)
	} else {
		q, err = rawRequest(body, r.URL.Query())
	}
	if err != nil {
		return nil, &failure{http.StatusBadRequest, malformed, err}
	}
	return q, nil
}

// rawRequest is that of a quote alone, with the rest in the address.
func rawRequest(body []byte, query url.Values) (q *wire.Request, err error) {
	q = &wire.Request{}
	if q.Quote, err = wire.DecodeQuote(body); err != nil {
		return nil, noQuote(body, err)
	}
	for key, values := range query {
		switch {
		case len(values) > 1:
			err = fmt.Errorf("%w: the parameter %.40q is there twice", wire.ErrRequest, key)
		case key == "at":
			q.At, err = wire.ParseTime(values[0])
		case key == "report_data":
			q.ReportData, err = wire.ParseReportData(values[0])
		case key != "explain":
			err = fmt.Errorf("%w: there is no parameter %.40q; at, report_data and explain are known", wire.ErrRequest, key)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

// noQuote adds to an error of wire.DecodeQuote what usually has happened.
func noQuote(body []byte, err error) error {
	switch {
	case len(body) > 0 && body[0] < '\t': // a version, whose other byte, a zero, is gone
		return fmt.Errorf("%w; was it sent with --data in place of --data-binary?", err)
	case len(body) > 0 && body[0] == '{':
		return fmt.Errorf("%w; JSON is to be sent as application/json", err)
	}
	return err
}

// collateral gets collateral from the service's source.
func (h *Handler) collateral(ctx context.Context, q *dcap.Quote) (*dcap.Collateral, *failure) {
	if h.cfg.Source == nil {
		return nil, &failure{http.StatusBadRequest, malformed, errors.New("this service has no collateral: the request is to bring it")}
	}
	c, err := h.cfg.Source(ctx, q)
	switch {
	case errors.Is(err, ErrNoPlatform):
		return nil, &failure{http.StatusBadRequest, malformed, err}
	case err != nil:
		return nil, &failure{http.StatusBadGateway, noCollateral, fmt.Errorf("collateral: %w", err)}
	}
	return c, nil
}
