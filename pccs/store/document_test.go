package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func document(name string) *Document {
	return &Document{
		Name: name, Body: []byte("body of " + name + "\x00\xff"), Chain: []byte("chain"),
		Issued: noon, NextUpdate: noon.AddDate(0, 0, 30), Evaluation: 17, Fetched: noon.Add(time.Hour), Origin: "pcs",
	}
}

func testDocuments(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	_, err := s.Document(ctx, "sgx/v4/qe/identity?update=standard")
	isErr(t, err, ErrNotFound)
	must(t, s.PutDocuments(ctx)) // none

	full := document("sgx/v4/tcb?fmspc=00906ED50000&update=standard")
	bare := &Document{Name: "sgx/v4/rootcacrl", Body: []byte{0x30}, Fetched: noon, Evaluation: 1<<32 - 1}
	empty := &Document{Name: "sgx/v4/fmspcs"}
	must(t, s.PutDocuments(ctx, full, bare, empty))
	for _, want := range []*Document{full, bare, empty} {
		got, err := s.Document(ctx, want.Name)
		must(t, err)
		want := *want
		want.Body = slices.Concat(want.Body, []byte{}) // nil is empty
		got.Body = slices.Concat(got.Body, []byte{})
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, want %+v", *got, want)
		}
	}

	list, err := s.Documents(ctx)
	must(t, err)
	var names []string
	for _, d := range list {
		names = append(names, d.Name)
		if d.Body != nil || d.Chain != nil {
			t.Errorf("the list has the body of %s", d.Name)
		}
	}
	if !slices.Equal(names, []string{empty.Name, bare.Name, full.Name}) {
		t.Errorf("listed: %q", names)
	}
	if got := list[2]; !got.Issued.Equal(full.Issued) || !got.NextUpdate.Equal(full.NextUpdate) || !got.Fetched.Equal(full.Fetched) || got.Evaluation != 17 || got.Origin != "pcs" {
		t.Errorf("listed: %+v", got)
	}
	if !list[0].Issued.IsZero() {
		t.Errorf("no time of issue is %v", list[0].Issued)
	}

	must(t, s.DeleteDocument(ctx, bare.Name))
	must(t, s.DeleteDocument(ctx, bare.Name))
	_, err = s.Document(ctx, bare.Name)
	isErr(t, err, ErrNotFound)
	_, err = s.Document(ctx, full.Name)
	must(t, err)
}

func testDocumentsNeverGoBack(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	for _, c := range []struct {
		body   string
		issued time.Time
		number uint32
		stays  string
	}{
		{"first", day(10), 17, "first"},
		{"earlier", day(9), 17, "first"},
		{"lower number", day(11), 16, "first"},
		{"earlier, with a higher number", day(9), 18, "first"},
		{"same time, other body", day(10), 17, "same time, other body"},
		{"later", day(11), 17, "later"},
		{"higher number", day(11), 18, "higher number"},
		{"both", day(12), 19, "both"},
		{"no time", time.Time{}, 0, "both"},
	} {
		d := document("d")
		d.Body, d.Issued, d.Evaluation, d.Fetched = []byte(c.body), c.issued, c.number, day(20)
		must(t, s.PutFetch(ctx, &Fetch{Name: "d", Failures: 3, Tried: noon, Due: noon}))
		must(t, s.PutDocuments(ctx, d))
		got, err := s.Document(ctx, "d")
		must(t, err)
		if string(got.Body) != c.stays {
			t.Errorf("after %q there is %q", c.body, got.Body)
		}
		if list, err := s.Fetches(ctx); err != nil || len(list) != 0 {
			t.Errorf("after %q there are failures: %v %v", c.body, list, err)
		}
	}
	// The same document again confirms it.
	again, err := s.Document(ctx, "d")
	must(t, err)
	again.Fetched = day(40)
	must(t, s.PutDocuments(ctx, again))
	got, err := s.Document(ctx, "d")
	must(t, err)
	if !got.Fetched.Equal(day(40)) {
		t.Errorf("confirmed at %v", got.Fetched)
	}
	// All or none.
	long := document("long")
	long.Body = make([]byte, MaxBody+1)
	isErr(t, s.PutDocuments(ctx, document("new"), long), ErrInvalid)
	_, err = s.Document(ctx, "new")
	isErr(t, err, ErrNotFound)
}

// Many put versions of the same documents in different orders: the newest stays.
func testDocumentsRace(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	const writers, names = 12, 5
	errs := make([]error, writers)
	together(writers, func(i int) {
		var list []*Document
		for n := range names {
			d := document(fmt.Sprintf("d%d", (i+n)%names))
			d.Issued, d.Body = noon.Add(time.Duration(i)*time.Second), fmt.Appendf(nil, "version %d", i)
			d.Chain = fmt.Appendf(nil, "chain %d", i%3)
			list = append(list, d)
		}
		errs[i] = s.PutDocuments(ctx, list...)
	})
	must(t, errors.Join(errs...))
	for n := range names {
		d, err := s.Document(ctx, fmt.Sprintf("d%d", n))
		must(t, err)
		if want := fmt.Sprintf("version %d", writers-1); string(d.Body) != want || string(d.Chain) != "chain 2" {
			t.Errorf("%s is %q with %q, want %q", d.Name, d.Body, d.Chain, want)
		}
	}
}
