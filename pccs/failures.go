package pccs

import (
	"errors"
)

// failuresOf joins the failures of many tasks, of which some run at a time.
type failuresOf struct {
	slots  chan struct{}
	done   chan *Error
	begun  int
	ended  int
	failed int
	first  *Error
	told   []error
}

// start begins a task when there is a slot.
func (f *failuresOf) start(task func() *Error) {
	if f.slots == nil {
		f.slots, f.done = make(chan struct{}, spareSlots), make(chan *Error, 2*spareSlots)
	}
	for sent := false; !sent; {
		select {
		case f.slots <- struct{}{}:
			sent = true
		case e := <-f.done:
			f.add(e)
		}
	}
	f.begun++
	go func() {
		e := task()
		<-f.slots
		f.done <- e
	}()
}

func (f *failuresOf) add(e *Error) {
	const most = 20 // errors that are told
	f.ended++
	if e == nil {
		return
	}
	if f.failed++; f.failed == 1 {
		f.first = e
	}
	if len(f.told) < most {
		f.told = append(f.told, e)
	}
}

func (f *failuresOf) wait(what string) error {
	for f.ended < f.begun {
		f.add(<-f.done)
	}
	if f.first == nil {
		return nil
	}
	e := fail(503, f.first.Reason, "%d of %d %s could not be refreshed; the first: %s", f.failed, f.begun, what, f.first.Message)
	e.RequestID, e.Err = f.first.RequestID, errors.Join(f.told...)
	return e
}
