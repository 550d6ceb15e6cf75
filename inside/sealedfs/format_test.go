package sealedfs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// TestFormat reads a directory by the description of its format alone: with
// offsets as numbers, HKDF-Expand as one HMAC (RFC 5869, section 2.3), and
// package cipher.
func TestFormat(t *testing.T) {
	d := newMemDisk()
	f := mustOpen(t, d)
	big := text(9, 65536+10)
	for _, op := range []operation{write("b", big), write("a", ""), {"", func(f *FS) error { return f.Mkdir("c") }, nil}} {
		if err := op.do(f); err != nil {
			t.Fatal(err)
		}
	}
	host := d.content()

	header := []byte(host["header"])
	if string(header[:8]) != "FEIDIKEY" || int(binary.LittleEndian.Uint32(header[8:])) != len(header)-12 {
		t.Fatalf("header %x", header[:12])
	}
	master, purpose, err := sealer.Unseal(header[12:])
	if err != nil || len(master) != 32 || string(purpose) != "feidi sealedfs 1 master key" {
		t.Fatalf("%d bytes for %q, %v", len(master), purpose, err)
	}
	aead := func(info string, id []byte) cipher.AEAD {
		h := hmac.New(sha256.New, master)
		h.Write([]byte(info))
		h.Write(id)
		h.Write([]byte{1})
		block, err := aes.NewCipher(h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		a, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}

	x := []byte(host["index"])
	if len(x) != 4096 || string(x[:8]) != "FEIDIFS1" {
		t.Fatalf("index of %d bytes, %q", len(x), x[:8])
	}
	sealed := append(bytes.Clone(x[56:]), x[40:56]...)
	plain, err := aead("feidi sealedfs 1 index", x[8:40]).Open(nil, make([]byte, 12), sealed, x[:8])
	if err != nil {
		t.Fatal(err)
	}
	next := func(n int) []byte {
		b := plain[:n]
		plain = plain[n:]
		return b
	}
	if g, n := binary.LittleEndian.Uint64(next(8)), binary.LittleEndian.Uint32(next(4)); g != f.Generation() || n != 3 {
		t.Fatalf("generation %d, %d entries", g, n)
	}
	var ids [2][]byte
	for i, want := range []struct {
		name string
		kind byte
		size int
	}{{"a", 1, 0}, {"b", 1, len(big)}, {"c", 0, 0}} {
		if n := next(2); !bytes.Equal(n, []byte{1, 0}) || string(next(1)) != want.name || next(1)[0] != want.kind {
			t.Fatalf("entry %d is not %v", i, want)
		}
		if info, err := f.Stat(want.name); err != nil || int64(binary.LittleEndian.Uint64(next(8))) != info.ModTime().UnixNano() {
			t.Fatal("not the time of", want.name, err)
		}
		if want.kind == 1 {
			if size := binary.LittleEndian.Uint64(next(8)); size != uint64(want.size) {
				t.Fatalf("%s: size %d", want.name, size)
			}
			ids[i] = next(16)
		}
	}
	if len(bytes.Trim(plain, "\x00")) > 0 {
		t.Errorf("after the entries: %x", plain)
	}

	const k = 65536 + 16
	data := []byte(host[hex.EncodeToString(ids[1])+".data"])
	first, err := aead("feidi sealedfs 1 file", ids[1]).Open(nil, make([]byte, 12), data[:k], nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := aead("feidi sealedfs 1 file", ids[1]).Open(nil, []byte{7: 1, 11: 1}, data[k:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(first)+string(second) != big {
		t.Error("not the content of b")
	}
	empty := []byte(host[hex.EncodeToString(ids[0])+".data"])
	if _, err := aead("feidi sealedfs 1 file", ids[0]).Open(nil, []byte{11: 1}, empty, nil); err != nil || len(empty) != 16 {
		t.Errorf("a has %d bytes, %v", len(empty), err)
	}
}

// The size of the index on the host tells of the names no more than its
// number of blocks.
func TestIndexPadding(t *testing.T) {
	for n := range 300 {
		x := &index{entries: []entry{{name: strings.Repeat("n", 1+n*13)}}}
		file, err := sealIndex(new([masterSize]byte), x)
		if err != nil {
			t.Fatal(err)
		}
		if least := stampSize + 12 + fileEntrySize + 1 + n*13; len(file)%4096 != 0 || len(file) < least || len(file) >= least+4096 {
			t.Fatalf("%d bytes for a name of %d", len(file), 1+n*13)
		}
		if y, err := openIndex(new([masterSize]byte), file); err != nil || y.entries[0] != x.entries[0] {
			t.Fatal(err)
		}
	}
}

// FuzzIndex checks that no plaintext of an index makes the parser panic or
// take much memory, that it refuses in one line with an offset, and that what
// it accepts is written as it was read.
func FuzzIndex(f *testing.F) {
	x := &index{generation: 7, entries: []entry{
		{name: "a", mtime: 1, size: 3, id: fileID{1, 2, 3}}, {name: "d", dir: true, mtime: -1}, {name: "d/ä", size: 1 << 40},
	}}
	good, err := x.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.TrimRight(good, "\x00"))
	f.Add(make([]byte, 12))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decodeIndex(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "offset ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		again, err := x.encode()
		if err != nil {
			t.Fatal(err)
		}
		if trim := func(b []byte) []byte { return bytes.TrimRight(b, "\x00") }; !bytes.Equal(trim(again), trim(b)) {
			t.Fatalf("%x becomes %x", b, again)
		}
		for i := range x.entries {
			if e, err := x.lookup(x.entries[i].name); err != nil || e != &x.entries[i] {
				t.Fatalf("%q is not found", x.entries[i].name)
			}
		}
		seen := 0
		var walk func(dir string)
		walk = func(dir string) {
			for _, c := range x.children(dir) {
				if seen++; c.dir {
					walk(c.name)
				}
			}
		}
		if walk("."); seen != len(x.entries) {
			t.Fatalf("%d of %d entries are in a directory", seen, len(x.entries))
		}
	})
}

// Every rule of decodeIndex has an input that breaks it alone.
func TestIndexRefusals(t *testing.T) {
	plain := func(entries ...entry) []byte {
		b, err := (&index{entries: entries}).encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	set := func(b []byte, off int, c byte) []byte { b[off] = c; return b }
	one := entry{name: "a", size: 5} // 36 bytes, at 12
	for want, b := range map[string][]byte{
		"offset 0: an index has 12":             plain()[:11],
		"offset 12: 16777216 entries in 0":      set(plain()[:12], 11, 1),
		"offset 12: 256 entries in 2805":        set(plain()[:12+255*11], 9, 1),
		"offset 12: a name of 65281 bytes":      set(plain(one), 13, 255),
		"offset 12: an entry of kind 2":         set(plain(one), 15, 2),
		"offset 12: a file of 7205759":          set(plain(one), 31, 1),
		"offset 12: the entry is cut":           plain(one)[:12+35],
		`offset 12: "../a" is no name`:          plain(entry{name: "../a"}),
		`offset 12: "." is no name`:             plain(entry{name: "."}),
		`offset 48: "a" follows "b"`:            plain(entry{name: "b"}, one),
		`offset 48: "a" follows "a"`:            plain(one, one),
		`offset 48: "a/b" has no directory`:     plain(one, entry{name: "a/b"}),
		`offset 12: "c/b" has no directory`:     plain(entry{name: "c/b"}),
		"offset 48: something follows the last": set(plain(one), 48, 1),
		"offset 48: something follows":          append(plain(one)[:48], bytes.Repeat([]byte{0}, 4096)...),
	} {
		if _, err := decodeIndex(b); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
