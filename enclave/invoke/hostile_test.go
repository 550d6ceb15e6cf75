package invoke_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// ocallWith makes one OCALL with the memory and returns its arguments.
func ocallWith(t *testing.T, decl string, mem []byte) ([]value.Field, error) {
	t.Helper()
	var args []value.Field
	handler := func(_ context.Context, o *invoke.OCall) invoke.Answer { args = o.Args; return invoke.Answer{} }
	f := &fake{ecall: func(f *fake, _ uint64) error {
		return f.table[0](context.Background(), &fakeCall{mem: mem, block: base}).Err()
	}}
	_, err := client(t, f, "", decl+";", handler).Call(context.Background(), parse(t, "nothing()"))
	return args, err
}

// made counts the values and the bytes that a value is made of.
func made(v value.Value) (values, content int) {
	values, content = 1, len(v.Bytes)
	for _, e := range v.List {
		n, b := made(e)
		values, content = values+n, content+b
	}
	for _, f := range v.Fields {
		n, b := made(f.Value)
		values, content = values+n, content+b
	}
	return values, content
}

const (
	mostValues = 1<<17 + 1 // with the parameter
	mostBytes  = 2 * invoke.MaxMemory
)

// TestLengthsThatWrap has the lengths of a deep copy add up to zero again and
// again, which must not let the enclave be read without end.
func TestLengthsThatWrap(t *testing.T) {
	le := binary.LittleEndian
	const chunks, size = 512, 1 << 20
	mem := le.AppendUint64(nil, base+16)
	mem = le.AppendUint64(mem, chunks)
	for i := range uint64(chunks) {
		n := uint64(size)
		if i%2 == 1 {
			n = -n
		}
		mem = le.AppendUint64(le.AppendUint64(mem, n), base)
	}
	mem = append(mem, make([]byte, size)...)
	args, err := ocallWith(t, "void o([in, count=n] struct chunk* c, size_t n)", mem)
	if err != nil {
		t.Fatal(err)
	}
	if len(args[0].Value.List) != chunks {
		t.Fatalf("%d chunks", len(args[0].Value.List))
	}
	if _, n := made(args[0].Value); n == 0 || n > mostBytes {
		t.Errorf("%d bytes, at most %d are followed", n, mostBytes)
	}
}

// TestSameStringOften passes one large string as many parameters.
func TestSameStringOften(t *testing.T) {
	const params, size = 20, 8 << 20
	var decl []string
	var mem []byte
	for i := range params {
		decl = append(decl, fmt.Sprintf("[in, string] char* s%d", i))
		mem = binary.LittleEndian.AppendUint64(mem, base+8*params)
	}
	mem = append(append(mem, bytes.Repeat([]byte{'a'}, size)...), 0)
	if _, err := ocallWith(t, "void o("+strings.Join(decl, ", ")+")", mem); !errors.Is(err, invoke.ErrLength) {
		t.Errorf("%d strings of %d bytes: %v", params, size, err)
	}
	args, err := ocallWith(t, "void o("+decl[0]+")", mem)
	if err != nil || len(args[0].Value.Bytes) < size {
		t.Errorf("one of them: %v", err)
	}
}

// TestManyValues has little memory stand for many values.
func TestManyValues(t *testing.T) {
	wide := binary.LittleEndian.AppendUint64(nil, base+8)
	wide = append(append(wide, bytes.Repeat([]byte{0xFF}, 4<<20)...), 0, 0, 0, 0)
	for _, c := range []struct {
		decl string
		mem  []byte
	}{
		{"void o([in, wstring] wchar_t* s)", wide},
		{"void o([in] char a[2048][2048][1])", append(wide, make([]byte, 4<<20)...)},
		{"void o([in] int8_t a[2][2048][2048])", append(wide, make([]byte, 8<<20)...)},
	} {
		args, err := ocallWith(t, c.decl, c.mem)
		if err != nil {
			t.Errorf("%s: %v", c.decl, err)
			continue
		}
		values, content := made(args[0].Value)
		if values > mostValues || content < 4<<20 {
			t.Errorf("%s: %d values, %d bytes", c.decl, values, content)
		}
	}
}
