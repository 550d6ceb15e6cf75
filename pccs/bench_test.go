package pccs_test

import (
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

func BenchmarkDocument(b *testing.B) {
	in := newIntel(b)
	s := in.service(b, pccs.Lazy)
	get(b, s, sgxInfo)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Document(b.Context(), sgxInfo); err != nil {
			b.Fatal(err)
		}
	}
}

// A TCB that was seen, and one for which the certificate is chosen anew.
func BenchmarkPCKCert(b *testing.B) {
	in := newIntel(b)
	in.has(level{}, level{add: -1}, level{add: -2}, level{add: -3}, level{add: -4}, level{add: -5}, level{add: -6}, level{add: -7})
	s := in.service(b, pccs.Lazy)
	if err := s.Register(b.Context(), in.registration()); err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]pccs.PCKQuery{"seen": in.query(), "unseen": in.at(level{add: 1})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.PCKCert(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
