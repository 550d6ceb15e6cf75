package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// platform is the i-th platform, with n certificates and a raw TCB for each but the
// last.
func platform(i, n int) *Platform {
	p := &Platform{
		PlatformID:    PlatformID{QEID: fmt.Sprintf("%032X", i*7919), PCEID: "0000"},
		EncryptedPPID: slices.Repeat([]byte{byte(i), 0}, 192), FMSPC: fmt.Sprintf("%012X", i%3), CA: "platform", Origin: "client",
		Issuers: []byte("-----BEGIN CERTIFICATE-----"), Updated: noon,
	}
	for c := range n {
		tcbm := fmt.Sprintf("%036X", c)
		p.Certs = append(p.Certs, PCKCert{TCBm: tcbm, Cert: fmt.Sprintf("certificate %d of %d", c, i)})
		if c < n-1 {
			p.TCBs = append(p.TCBs, RawTCB{CPUSVN: fmt.Sprintf("%032X", c), PCESVN: "0D00", TCBm: tcbm})
		}
	}
	return p
}

func samePlatform(t testing.TB, got, want *Platform) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func testPlatforms(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	p := platform(1, 4)
	_, err := s.Platform(ctx, p.PlatformID)
	isErr(t, err, ErrNotFound)
	must(t, s.PutPlatform(ctx, p))
	got, err := s.Platform(ctx, p.PlatformID)
	must(t, err)
	samePlatform(t, got, p)

	// Another of the same QE ID, as bare as can be.
	bare := &Platform{PlatformID: PlatformID{p.QEID, "0001"}, FMSPC: "00906ED50000"}
	must(t, s.PutPlatform(ctx, bare))
	got, err = s.Platform(ctx, bare.PlatformID)
	must(t, err)
	samePlatform(t, got, bare)

	// What replaces a platform replaces all of it.
	second := platform(1, 150)
	second.FMSPC, second.CA, second.Manifest, second.EncryptedPPID = "FFFFFFFFFFFF", "processor", []byte{1}, nil
	second.Issuers, second.Updated = []byte("another chain"), noon.Add(time.Hour)
	second.Certs = second.Certs[2:]
	must(t, s.PutPlatform(ctx, second))
	got, err = s.Platform(ctx, p.PlatformID)
	must(t, err)
	samePlatform(t, got, second)
	got, err = s.Platform(ctx, bare.PlatformID)
	must(t, err)
	samePlatform(t, got, bare)

	// Of two of a key the last counts.
	twice := platform(2, 2)
	twice.Certs = append(twice.Certs, PCKCert{TCBm: twice.Certs[0].TCBm, Cert: "the last"})
	twice.TCBs = append(twice.TCBs, RawTCB{CPUSVN: twice.TCBs[0].CPUSVN, PCESVN: "0D00", TCBm: "the last"})
	third := platform(2, 1)
	must(t, s.PutPlatforms(ctx, []*Platform{third, platform(3, 1), twice}))
	got, err = s.Platform(ctx, twice.PlatformID)
	must(t, err)
	if len(got.Certs) != 2 || got.Certs[0].Cert != "the last" || len(got.TCBs) != 1 || got.TCBs[0].TCBm != "the last" {
		t.Errorf("got %+v", got)
	}
}

func testPlatformPages(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	var want []Platform
	var put []*Platform
	for i := range 25 {
		p := platform(i, i%4+1)
		p.PCEID = fmt.Sprintf("%04X", i%2)
		if i%5 == 4 { // the same QE ID with another PCE ID
			p.QEID, p.PCEID = put[i-1].QEID, "00FF"
		}
		put = append(put, p)
		listed := *p
		listed.Certs, listed.Issuers = nil, nil
		want = append(want, listed)
	}
	must(t, s.PutPlatforms(ctx, put))
	slices.SortFunc(want, func(a, b Platform) int { return comparePlatforms(a.PlatformID, b.PlatformID) })
	for _, fmspcs := range [][]string{nil, {"000000000001"}, {"000000000000", "000000000002", "ABCDEF000000"}, {"ABCDEF000000"}} {
		var want2 []Platform
		for _, p := range want {
			if fmspcs == nil || slices.Contains(fmspcs, p.FMSPC) {
				want2 = append(want2, p)
			}
		}
		for _, n := range []int{1, 4, 1000, 1 << 30} {
			var got []Platform
			for after := (PlatformID{}); ; {
				page, err := s.Platforms(ctx, fmspcs, after, n)
				must(t, err)
				if len(page) > n {
					t.Fatalf("a page of %d has %d", n, len(page))
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				after = page[len(page)-1].PlatformID
			}
			if !reflect.DeepEqual(got, want2) {
				t.Errorf("FMSPCs %q, pages of %d: got %d platforms, want %d", fmspcs, n, len(got), len(want2))
			}
		}
	}
	if list, err := s.Platforms(ctx, nil, PlatformID{}, 0); err != nil || list != nil {
		t.Errorf("a page of 0: %v, %v", list, err)
	}
	counts, err := s.FMSPCs(ctx)
	must(t, err)
	if want := map[string]int{"000000000000": 9, "000000000001": 8, "000000000002": 8}; !reflect.DeepEqual(counts, want) {
		t.Errorf("counted %v, want %v", counts, want)
	}
}

// Each platform counts once in a group, with however many raw TCBs.
func testTCBGroups(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	if list, err := s.TCBGroups(ctx, 10); err != nil || list != nil {
		t.Errorf("of nothing: %v, %v", list, err)
	}
	type key struct{ fmspc, tcbm string }
	members := map[key][]PlatformID{}
	for i := range 60 {
		p := platform(i, 1) // in FMSPC i%3
		for j := range i % 4 {
			tcbm := fmt.Sprint(i % 5 / (j + 1))
			if j == 2 {
				tcbm = "" // none was chosen
			}
			p.TCBs = append(p.TCBs, RawTCB{CPUSVN: fmt.Sprint(j), PCESVN: "0", TCBm: tcbm}, RawTCB{CPUSVN: fmt.Sprint(9 - j), PCESVN: "0", TCBm: tcbm})
			if k := (key{p.FMSPC, tcbm}); !slices.Contains(members[k], p.PlatformID) {
				members[k] = append(members[k], p.PlatformID)
			}
		}
		must(t, s.PutPlatform(ctx, p)) // one by one: rows are numbered as they come in
	}
	want := map[key]TCBGroup{}
	for k, ids := range members {
		g := TCBGroup{FMSPC: k.fmspc, TCBm: k.tcbm, Count: len(ids), Examples: ids[:1]}
		if len(ids) > 1 {
			g.Examples = []PlatformID{ids[0], ids[len(ids)-1]}
		}
		want[k] = g
	}
	list, err := s.TCBGroups(ctx, 1000)
	must(t, err)
	for i, g := range list {
		if k := (key{g.FMSPC, g.TCBm}); !reflect.DeepEqual(g, want[k]) {
			t.Errorf("got %+v, want %+v", g, want[k])
		}
		if i > 0 && list[i-1].FMSPC+list[i-1].TCBm >= g.FMSPC+g.TCBm {
			t.Errorf("%s %s is in the wrong place", g.FMSPC, g.TCBm)
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d groups, want %d", len(list), len(want))
	}
	few, err := s.TCBGroups(ctx, 3)
	must(t, err)
	for _, g := range few {
		if k := (key{g.FMSPC, g.TCBm}); !reflect.DeepEqual(g, want[k]) {
			t.Errorf("of three got %+v, want %+v", g, want[k])
		}
	}
	if len(few) != 3 {
		t.Errorf("%d groups, asked for three", len(few))
	}
}

// Many replace the same platforms at once: each is one of the versions, whole.
func testPlatformRace(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	const writers, platforms = 8, 4
	version := func(i, w int) *Platform {
		p := platform(i, 3+w)
		p.Manifest = []byte{byte(w)}
		for c := range p.Certs {
			p.Certs[c].Cert = fmt.Sprintf("version %d", w)
		}
		return p
	}
	errs := make([]error, writers)
	together(writers, func(w int) {
		var list []*Platform
		for i := range platforms {
			list = append(list, version((i+w)%platforms, w))
		}
		if w%2 == 0 {
			errs[w] = s.PutPlatforms(ctx, list)
			return
		}
		for _, p := range list {
			errs[w] = errors.Join(errs[w], s.PutPlatform(ctx, p))
		}
	})
	must(t, errors.Join(errs...))
	for i := range platforms {
		got, err := s.Platform(ctx, platform(i, 1).PlatformID)
		must(t, err)
		samePlatform(t, got, version(i, int(got.Manifest[0])))
	}
}

func testPutAll(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	bad := platform(2, 1)
	bad.CA = strings.Repeat("x", 17)
	isErr(t, s.PutAll(ctx, []*Document{document("d")}, []*Platform{platform(1, 2), bad}), ErrInvalid, "CA", "17", "16")
	_, err := s.Document(ctx, "d")
	isErr(t, err, ErrNotFound)
	_, err = s.Platform(ctx, platform(1, 2).PlatformID)
	isErr(t, err, ErrNotFound)
	must(t, s.PutAll(ctx, []*Document{document("d")}, []*Platform{platform(1, 2)}))
	_, err = s.Document(ctx, "d")
	must(t, err)
	_, err = s.Platform(ctx, platform(1, 2).PlatformID)
	must(t, err)
}

func testMatch(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	p, other := platform(1, 4), platform(2, 4)
	other.Issuers = nil
	must(t, s.PutPlatforms(ctx, []*Platform{p, other}))
	for _, p := range []*Platform{p, other} {
		for i, raw := range p.TCBs {
			m, err := s.Match(ctx, p.PlatformID, raw.CPUSVN, raw.PCESVN)
			must(t, err)
			want := &Match{PCKCert: p.Certs[i], FMSPC: p.FMSPC, CA: p.CA, Issuers: p.Issuers, Updated: p.Updated}
			if !reflect.DeepEqual(m, want) {
				t.Errorf("got %+v, want %+v", m, want)
			}
		}
	}
	raw := p.TCBs[0]
	for _, c := range []struct {
		id       PlatformID
		cpu, pce string
	}{
		{p.PlatformID, raw.CPUSVN, "0E00"},
		{p.PlatformID, strings.Repeat("F", 32), raw.PCESVN},
		{PlatformID{p.QEID, "0001"}, raw.CPUSVN, raw.PCESVN},
		{PlatformID{"0", p.PCEID}, raw.CPUSVN, raw.PCESVN},
		{PlatformID{}, "", ""},
	} {
		_, err := s.Match(ctx, c.id, c.cpu, c.pce)
		isErr(t, err, ErrNotFound)
	}
	// A choice whose certificate is there no more is none.
	p.Certs = p.Certs[1:]
	must(t, s.PutPlatform(ctx, p))
	_, err := s.Match(ctx, p.PlatformID, raw.CPUSVN, raw.PCESVN)
	isErr(t, err, ErrNotFound)
}

func testRawTCBs(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	p := platform(1, 2)
	fresh := RawTCB{CPUSVN: strings.Repeat("A", 32), PCESVN: "0E00", TCBm: p.Certs[1].TCBm}
	isErr(t, s.PutTCB(ctx, p.PlatformID, fresh), ErrNotFound)
	must(t, s.PutPlatform(ctx, p))
	for _, tcbm := range []string{p.Certs[0].TCBm, p.Certs[1].TCBm} { // chosen anew
		fresh.TCBm = tcbm
		must(t, s.PutTCB(ctx, p.PlatformID, fresh))
		m, err := s.Match(ctx, p.PlatformID, fresh.CPUSVN, fresh.PCESVN)
		must(t, err)
		if m.TCBm != tcbm {
			t.Errorf("%s was chosen, not %s", m.TCBm, tcbm)
		}
	}
	p.TCBs = append(p.TCBs, fresh)
	got, err := s.Platform(ctx, p.PlatformID)
	must(t, err)
	samePlatform(t, got, p)

	p.TCBs = nil
	for i := range MaxTCBs {
		p.TCBs = append(p.TCBs, RawTCB{CPUSVN: fmt.Sprintf("%032X", i), PCESVN: "0D00"})
	}
	must(t, s.PutPlatform(ctx, p))
	isErr(t, s.PutTCB(ctx, p.PlatformID, fresh), ErrInvalid, "1025 raw TCBs")
	must(t, s.PutTCB(ctx, p.PlatformID, RawTCB{CPUSVN: p.TCBs[3].CPUSVN, PCESVN: "0D00", TCBm: p.Certs[0].TCBm}))
}

func testChains(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	var list []*Platform
	for i := range 10 {
		p := platform(i, 1)
		p.Issuers = fmt.Appendf(nil, "chain %d", i%2)
		list = append(list, p)
	}
	must(t, s.PutPlatforms(ctx, list))
	d := document("d")
	d.Chain = []byte("chain 1")
	must(t, s.PutDocuments(ctx, d))
	var n int
	must(t, s.reads.QueryRowContext(ctx, "SELECT COUNT(*) FROM pccs_chains").Scan(&n))
	if n != 2 {
		t.Errorf("two chains are kept as %d", n)
	}
}

// A reader sees a platform as it was before or after a change, and does not wait.
func testReaderDuringWriter(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	old := platform(1, 3)
	must(t, s.PutPlatform(ctx, old))
	err := s.change(ctx, "test", func(tx *tx) error {
		if err := tx.putPlatform(platform(1, 200)); err != nil {
			return err
		}
		got, err := s.Platform(ctx, old.PlatformID)
		if err != nil {
			return err
		}
		samePlatform(t, got, old)
		_, err = s.Match(ctx, old.PlatformID, old.TCBs[0].CPUSVN, "0D00")
		return err
	})
	must(t, err)
	stop := make(chan struct{})
	errs := make([]error, 3)
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(2, func(i int) {
			for n := 0; errs[i] == nil; n++ {
				select {
				case <-stop:
					return
				default:
				}
				p, err := s.Platform(ctx, old.PlatformID)
				if err == nil && (len(p.TCBs) != len(p.Certs)-1 || len(p.Certs) != 200 && len(p.Certs) != 20) {
					err = fmt.Errorf("%d certificates and %d raw TCBs", len(p.Certs), len(p.TCBs))
				}
				errs[i] = err
			}
		})
	}()
	for i := range 10 {
		errs[2] = errors.Join(errs[2], s.PutPlatform(ctx, platform(1, []int{20, 200}[i%2])))
	}
	close(stop)
	<-done
	must(t, errors.Join(errs...))
}
