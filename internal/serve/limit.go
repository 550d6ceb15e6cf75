package serve

import (
	"net"
	"sync"
)

// limited is a listener that shares a number of places for connections with
// others. The timeouts see to it that each makes room for another soon.
type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept returns the next connection once there is a place for it. A listener that
// waits for connections holds none.
func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.places <- struct{}{}:
		return &place{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
	case <-l.closed:
		_ = c.Close() // it was not heard
		return nil, net.ErrClosed
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// place is a connection that has one of the places.
type place struct {
	net.Conn
	leave func()
}

func (c *place) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
