package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// client is a connection that stays open. It does next to nothing beside the
// cryptography, so that on the other processor the server is what is measured.
type client struct {
	c       *tls.Conn
	r       *bufio.Reader
	request []byte
	qeid    []byte // in it, or nil
	n       int    // of how many platforms
}

// patience is how long an answer may take.
const patience = 30 * time.Second

func dial(address string, t target) (*client, error) {
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return nil, err
	}
	const method = "GET "
	k := &client{c: c, r: bufio.NewReaderSize(c, 16<<10), request: []byte(method + t.path + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n"), n: t.platforms}
	if k.n > 0 {
		at := len(method) + qeidIn(t.path)
		k.qeid = k.request[at : at+qeidDigits]
	}
	return k, nil
}

// ask asks once, and reads the answer, which has to be 200.
func (k *client) ask() error {
	if k.n > 0 {
		copy(k.qeid, qeID(rand.IntN(k.n)))
	}
	if err := k.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := k.c.Write(k.request); err != nil {
		return err
	}
	line, err := k.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %q", bytes.TrimSpace(line))
	}
	length := -1
	for {
		if line, err = k.r.ReadSlice('\n'); err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("the answer has no Content-Length")
	}
	_, err = k.r.Discard(length)
	return err
}
