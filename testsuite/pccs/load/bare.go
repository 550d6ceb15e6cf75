package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"
)

// page is an answer in memory.
type page struct {
	header http.Header
	body   []byte
}

// bare serves what another service answers to the targets, header and body.
func bare(ctx context.Context, listen, url string, targets []target) error {
	pages := map[string]page{}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, t := range targets {
		p, err := get(ctx, client, url+t.path)
		if err != nil {
			return err
		}
		pages[t.path] = p
	}
	client.CloseIdleConnections()
	cert, err := selfSigned()
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: listen, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}, Protocols: new(http.Protocols),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, ok := pages[r.RequestURI]
			if !ok {
				http.NotFound(w, r)
				return
			}
			h := w.Header()
			for name, lines := range p.header {
				h[name] = lines
			}
			_, _ = w.Write(p.body)
		}),
	}
	server.Protocols.SetHTTP1(true)
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func get(ctx context.Context, c *http.Client, url string) (p page, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return p, err
	}
	answer, err := c.Do(r)
	if err != nil {
		return p, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return p, fmt.Errorf("%s: %s", url, answer.Status)
	}
	p.header = answer.Header
	for _, name := range []string{"Date", "Connection", "Keep-Alive"} { // which are the server's own
		p.header.Del(name)
	}
	p.body, err = io.ReadAll(answer.Body)
	return p, err
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(30 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
