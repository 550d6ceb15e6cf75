package cli

import (
	"io"
	"os"
	"sync"
)

// streams are the standard streams as files, which is what a process has.
// Those that are none are at the other end of a pipe.
type streams struct {
	in, out, err *os.File
	pipes        []*os.File // ends that the program has
	copies       sync.WaitGroup
}

func (a *app) streams() (*streams, error) {
	s := new(streams)
	var errs [3]error
	s.in, errs[0] = s.reader(a.in)
	s.out, errs[1] = s.writer(a.out.w)
	s.err, errs[2] = s.writer(a.err)
	for _, err := range errs {
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// reader returns a file from which to read what r has. Nobody waits for it: r
// may have no end.
func (s *streams) reader(r io.Reader) (*os.File, error) {
	if f, ok := r.(*os.File); ok || r == nil {
		return f, nil
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.pipes = append(s.pipes, out)
	go func() {
		_, _ = io.Copy(in, r) // it fails when the program has ended
		_ = in.Close()
	}()
	return out, nil
}

// writer returns a file that takes what w is to be given.
func (s *streams) writer(w io.Writer) (*os.File, error) {
	if f, ok := w.(*os.File); ok || w == nil {
		return f, nil
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.pipes = append(s.pipes, in)
	s.copies.Go(func() {
		_, _ = io.Copy(w, out)
		_ = out.Close()
	})
	return in, nil
}

// close ends the copying, after all that was written has been passed on.
func (s *streams) close() {
	for _, f := range s.pipes {
		_ = f.Close()
	}
	s.copies.Wait()
}
