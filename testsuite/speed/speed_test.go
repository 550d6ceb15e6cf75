package speed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
)

func BenchmarkSHA256(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		sha256.Sum256(data)
	}
}

func BenchmarkMap(b *testing.B) {
	keys := make([]string, 1<<14)
	for i := range keys {
		keys[i] = strconv.Itoa(i * 7919)
	}
	for b.Loop() {
		m := map[string]int{}
		for i, k := range keys {
			m[k] = i
		}
		for _, k := range keys {
			if m[k] < 0 {
				b.Fatal(k)
			}
		}
	}
}

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

// BenchmarkGC makes garbage beside a live heap of 30 MB, and collects it.
func BenchmarkGC(b *testing.B) {
	live := grow(20)
	for b.Loop() {
		grow(16)
		runtime.GC()
	}
	runtime.KeepAlive(live)
}

// BenchmarkChannel passes 1000 values between two goroutines.
func BenchmarkChannel(b *testing.B) {
	for b.Loop() {
		c, done := make(chan int), make(chan int)
		go func() {
			n := 0
			for v := range c {
				n += v
			}
			done <- n
		}()
		for i := range 1000 {
			c <- i
		}
		close(c)
		<-done
	}
}

// BenchmarkFanOut wakes goroutines on other threads.
func BenchmarkFanOut(b *testing.B) {
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { sha256.Sum256(make([]byte, 1000)) })
		}
		wg.Wait()
	}
}

func BenchmarkECDSA(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	hash := sha256.Sum256([]byte("feidi"))
	for b.Loop() {
		sig, err := ecdsa.SignASN1(rand.Reader, key, hash[:])
		if err != nil || !ecdsa.VerifyASN1(&key.PublicKey, hash[:], sig) {
			b.Fatal(err)
		}
	}
}

// BenchmarkHTTP makes a request to a server in the same program.
func BenchmarkHTTP(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer s.Close()
	for b.Loop() {
		r, err := http.Get(s.URL)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
}

func BenchmarkTimeNow(b *testing.B) {
	for b.Loop() {
		_ = time.Now()
	}
}
