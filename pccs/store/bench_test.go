package store

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/dbtest"
)

// fleetCerts is how many PCK certificates a platform has in benchmarks: one for each
// TCB level that there was.
const fleetCerts = 10

// fleet is the i-th platform of a fleet, with certificates of the size of real ones.
// Its ID is by chance, but the same each time.
func fleet(i int) *Platform {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	p := &Platform{
		PlatformID:    fleetID(i),
		EncryptedPPID: make([]byte, 384), FMSPC: fmt.Sprintf("%012X", i%16), CA: "platform",
		Issuers: make([]byte, 1900), Updated: noon,
	}
	random := make([]byte, 1275) // of DER
	for n := range fleetCerts {
		for j := range random {
			random[j] = byte(rng.Uint32())
		}
		cert := "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(random) + "\n-----END CERTIFICATE-----\n"
		p.Certs = append(p.Certs, PCKCert{TCBm: fmt.Sprintf("%032X0D00", n), Cert: cert})
	}
	p.TCBs = []RawTCB{fleetTCB}
	return p
}

var fleetTCB = RawTCB{CPUSVN: fmt.Sprintf("%032X", 99), PCESVN: "0D00", TCBm: fmt.Sprintf("%032X0D00", 3)}

// putFleet puts n platforms, a thousand at a time.
func putFleet(b *testing.B, s *Store, n int) {
	b.Helper()
	for i := 0; i < n; {
		var list []*Platform
		for ; len(list) < 1000 && i < n; i++ {
			list = append(list, fleet(i))
		}
		must(b, s.PutPlatforms(b.Context(), list))
	}
}

func BenchmarkSQLite(b *testing.B) { benchmark(b, sqliteFile(b)) }

func BenchmarkMariaDB(b *testing.B) {
	address, _ := dbtest.MariaDB(b)
	benchmark(b, address)
}

func benchmark(b *testing.B, address string) {
	s := reopen(b, address)
	d := document("sgx/v4/tcb?fmspc=00906ED50000&update=standard")
	d.Body, d.Chain = make([]byte, 4700), make([]byte, 1900)
	must(b, s.PutDocuments(b.Context(), d))
	const n = 1000
	putFleet(b, s, n)
	ids := make([]PlatformID, n)
	for i := range ids {
		ids[i] = fleetID(i)
	}
	b.Run("Match", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := s.Match(b.Context(), ids[i%n], fleetTCB.CPUSVN, fleetTCB.PCESVN); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Document", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Document(b.Context(), d.Name); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("PutPlatforms", func(b *testing.B) { // a hundred, which are there
		list := make([]*Platform, 100)
		for i := range list {
			list[i] = fleet(i)
		}
		for b.Loop() {
			must(b, s.PutPlatforms(b.Context(), list))
		}
	})
}

// BenchmarkMillion asks a database of a million platforms, in the folder that
// FEIDI_MILLION names. It makes it there the first time, of some 20 GB.
func BenchmarkMillion(b *testing.B) {
	dir := os.Getenv("FEIDI_MILLION")
	if dir == "" {
		b.Skip("FEIDI_MILLION names no folder with room for a million platforms (20 GB)")
	}
	const million = 1_000_000
	path := filepath.Join(dir, "million.db")
	s := reopen(b, path)
	counts, err := s.FMSPCs(b.Context())
	must(b, err)
	have := 0
	for _, n := range counts {
		have += n
	}
	if have < million {
		start := time.Now()
		putFleet(b, s, million)
		b.Logf("loaded in %v", time.Since(start).Round(time.Second))
	}
	if info, err := os.Stat(path); err == nil {
		b.Logf("%.1f GB", float64(info.Size())/1e9)
	}
	start := time.Now()
	_, err = s.FMSPCs(b.Context())
	must(b, err)
	b.Logf("counted by FMSPC in %v", time.Since(start).Round(time.Millisecond))
	start = time.Now()
	_, err = s.Platforms(b.Context(), []string{"000000000003"}, PlatformID{QEID: "8"}, 100)
	must(b, err)
	b.Logf("a page of 100 of an FMSPC from the middle in %v", time.Since(start).Round(10*time.Microsecond))

	rng := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		id := fleetID(rng.IntN(million))
		b.StartTimer()
		start := time.Now()
		if _, err := s.Match(b.Context(), id, fleetTCB.CPUSVN, fleetTCB.PCESVN); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("p%d-µs", p))
	}
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
}

// fleetID is the ID of the i-th platform.
func fleetID(i int) PlatformID {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	return PlatformID{QEID: fmt.Sprintf("%016X%016X", rng.Uint64(), rng.Uint64()), PCEID: "0000"}
}
