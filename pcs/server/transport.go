package server

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a way to the service for clients in the same process: an
// http.RoundTripper that calls it without a socket, whatever the host.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	defer body.Close()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Body, in.RequestURI = body, r.URL.RequestURI()
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	out := &recorder{header: http.Header{}}
	t.ServeHTTP(out, in)
	header := make(http.Header, len(out.header))
	for name, values := range out.header { // as if they had been read
		header[http.CanonicalHeaderKey(name)] = values
	}
	return &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// recorder is an http.ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
