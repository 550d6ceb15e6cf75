package server

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// FuzzRequest: whatever is asked, the service answers with a status that it is
// known for, never 500, in bounds, and with an error said in the header.
func FuzzRequest(f *testing.F) {
	w := theWorld(f)
	s := New(w.World, Options{})
	f.Add("GET", pathCert, w.pckQuery(f).Encode(), "", []byte{})
	f.Add("POST", pathPlatform, "", typeBinary, w.multi.Manifest())
	statuses := []int{200, 201, 400, 404, 405, 410, 413, 415}
	f.Fuzz(func(t *testing.T, method, path, query, media string, body []byte) {
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "pcs.test", Path: path, RawQuery: query},
			Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1,
		}
		resp, err := s.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err != nil || len(got) > 1<<20 || !slices.Contains(statuses, resp.StatusCode) {
			t.Errorf("%d, %d bytes, %v", resp.StatusCode, len(got), err)
		}
		if failed := resp.StatusCode >= 400; failed != (resp.Header.Get("Error-Code") != "") || failed && len(got) > 0 {
			t.Errorf("%d with %q", resp.StatusCode, resp.Header)
		}
		for name, values := range resp.Header {
			for _, v := range values {
				for _, b := range []byte(v) {
					if b < ' ' || b > '~' {
						t.Errorf("%s: %q", name, v)
					}
				}
			}
		}
	})
}
