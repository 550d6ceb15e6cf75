package images

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math/rand/v2"
	"testing"
)

// random returns n bytes that do not compress.
func random(seed uint64, n int) []byte {
	r, b := rand.New(rand.NewPCG(seed, 0)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// moved returns a program as another linker run may have made it: a function more
// in front, one less, two in another order, and distances in all that have changed.
func moved(base []byte) []byte {
	n := len(base) / 4
	b := append(random(2, 999), base[:n]...)
	b = append(append(append(b, base[2*n:3*n-50]...), base[n:2*n]...), base[3*n:]...)
	for i := 1100; i < len(b)-4; i += 60 {
		b[i] += 0x30
		b[i+1]++
	}
	return b
}

func TestPack(t *testing.T) {
	qe := random(1, 100_000)
	programs := map[string][]byte{"qe": qe, "pce": moved(qe), "ide": random(3, 500), "le": {}}
	files, err := Pack(programs)
	if err != nil || len(files) != len(programs) {
		t.Fatal(len(files), err)
	}
	again, _ := Pack(programs)
	for name, program := range programs {
		against := qe
		if name == "qe" {
			against = nil
		}
		got, err := unpack(against, files[name+".gz"])
		if err != nil || !bytes.Equal(got, program) {
			t.Errorf("%s: %v, or another program", name, err)
		}
		if !bytes.Equal(files[name+".gz"], again[name+".gz"]) {
			t.Errorf("%s is packed in two ways", name)
		}
	}
	// One of 100 KB that does not compress by itself.
	if n := len(files["pce.gz"]); n > 12_000 {
		t.Errorf("the moved program has %d bytes", n)
	}
	if got, err := unpack(nil, files["pce.gz"]); !errors.Is(err, errPacked) {
		t.Errorf("without a base: %d bytes, %v", len(got), err)
	}
	if _, err := Pack(map[string][]byte{"pce": qe}); err == nil {
		t.Error("packed without a base")
	}
}

// zipped is what gzip makes of b, as pack's inside.
func zipped(b ...byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func TestUnpackErrors(t *testing.T) {
	base := []byte("0123456789")
	ok := zipped(3, 2, 1, 1, 2, 6, 0, 1, 'x') // one fresh byte, then two from 3 on
	if got, err := unpack(base, ok); err != nil || string(got) != "x35" {
		t.Fatalf("%q, %v", got, err)
	}
	for name, packed := range map[string][]byte{
		"no gzip":              []byte("gzip"),
		"cut short":            ok[:len(ok)-9],
		"nothing":              zipped(),
		"a length too much":    zipped(3, 2, 2, 1, 2, 6, 0, 1, 'x'),
		"a giant length":       zipped(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 1, 1, 2, 6, 0, 1, 'x'),
		"an endless number":    zipped(bytes.Repeat([]byte{0x80}, 20)...),
		"half a piece":         zipped(2, 2, 1, 1, 2, 0, 1, 'x'),
		"past fresh":           zipped(3, 2, 1, 2, 2, 6, 0, 1, 'x'),
		"past added":           zipped(3, 2, 1, 1, 3, 6, 0, 1, 'x'),
		"past the base":        zipped(3, 2, 1, 1, 2, 18, 0, 1, 'x'),
		"in front of it":       zipped(3, 2, 1, 1, 2, 1, 0, 1, 'x'),
		"added bytes are left": zipped(3, 2, 1, 1, 1, 6, 0, 1, 'x'),
	} {
		if got, err := unpack(base, packed); !errors.Is(err, errPacked) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	base := []byte("0123456789")
	f.Add(base, []byte{3, 2, 1, 1, 2, 6, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, base, inside []byte) {
		if b, err := unpack(base, zipped(inside...)); err == nil && len(b) > len(inside) {
			t.Errorf("%d bytes of %d", len(b), len(inside))
		}
		if _, err := unpack(base, inside); err == nil && len(inside) < 20 {
			t.Error("shorter than gzip's header")
		}
	})
}

func FuzzPack(f *testing.F) {
	base := random(1, 300)
	f.Add(base, moved(base))
	f.Fuzz(func(t *testing.T, base, program []byte) {
		if got, err := unpack(base, pack(base, program)); err != nil || !bytes.Equal(got, program) {
			t.Errorf("%x against %x: %x, %v", program, base, got, err)
		}
	})
}
