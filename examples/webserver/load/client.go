package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client returns a client with connections of its own. It knows the server by
// the hash of its certificate, if that is given, and by nothing else.
func client(pin string) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS13,
				InsecureSkipVerify: true, // VerifyConnection does it
				VerifyConnection: func(s tls.ConnectionState) error {
					got := sha256.Sum256(s.PeerCertificates[0].Raw)
					if pin != "" && !strings.EqualFold(pin, hex.EncodeToString(got[:])) {
						return errors.New("the server has another certificate than pinned")
					}
					return nil
				},
			},
			MaxIdleConnsPerHost: 1,
		},
	}
}

// reason is the text of an error without what differs each time.
func reason(err error) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	text := err.Error()
	if before, after, ok := strings.Cut(text, "->"); ok { // "read tcp LOCAL->REMOTE: reason"
		if _, why, ok := strings.Cut(after, ": "); ok {
			text = before[:strings.LastIndexByte(before, ' ')+1] + why
		}
	}
	return text
}
