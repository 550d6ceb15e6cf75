package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"

	"github.com/feidi-dev/feidi/isa"
)

// memory answers with what shows growth. HeapAlloc is what the program has,
// dead objects included; HeapInuse and StackInuse are the heap that `feidi
// build --heap` bounds.
func memory(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("gc") != "" {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]uint64{
		"goroutines":  uint64(runtime.NumGoroutine()),
		"heap_alloc":  m.HeapAlloc,
		"heap_inuse":  m.HeapInuse,
		"heap_sys":    m.HeapSys,
		"stack_inuse": m.StackInuse,
		"objects":     m.HeapObjects,
		"gc":          uint64(m.NumGC),
	})
}

// targetInfo decodes a TARGETINFO in hex. There is none in an empty string.
func targetInfo(s string) (*isa.TargetInfo, error) {
	if s == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(s)
	t := new(isa.TargetInfo)
	if err != nil || t.UnmarshalBinary(b) != nil {
		return nil, errors.New("target is not a TARGETINFO in hex")
	}
	return t, nil
}
