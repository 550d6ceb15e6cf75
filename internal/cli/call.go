package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
)

// calling are the flags of call.
type calling struct {
	loading
	typing
	in     string
	out    int
	answer bool
}

func (a *app) call() *cobra.Command {
	var c calling
	cmd := a.verb(&cobra.Command{
		Use:   "call FILE (INDEX | --edl EDL EXPRESSION...)",
		Short: "Load an enclave and call it",
		Long: `Call loads an Intel SDK enclave, calls it, shows what comes back, and destroys
the enclave. With --edl it calls functions by name, one after the other:

  feidi call enclave.signed.so --edl Enclave.edl 'add(40, 2)'

` + expressionHelp + `

` + answersHelp + `

` + typesHelp + `

Without --edl it makes the ECALL with the given index and a raw marshalling
block. ` + blockHelp + `

An OCALL then fails with SGX_ERROR_INVALID_FUNCTION, or succeeds without any
effect with --answer-ocalls; either way it is named on standard error.

` + loadingHelp,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi call /tmp/feidi-demo/alice.signed.so --edl /tmp/feidi-demo/toy.edl 'add(40, 2)' 'sum("ABC")'
  feidi call /tmp/feidi-demo/alice.signed.so --edl /tmp/feidi-demo/toy.edl 'print("Hello from inside.\n")' -q
  feidi call /tmp/feidi-demo/alice.signed.so --edl /tmp/feidi-demo/toy.edl 'ask(1)' --ocall ocall_ask=42 --json
  feidi call /tmp/feidi-demo/alice.signed.so --edl /tmp/feidi-demo/toy.edl 'report(zero:512, zero:64, _)'
  feidi call /tmp/feidi-demo/alice.signed.so 1 --in 28000000000000000200000000000000 --out 24
  feidi call /tmp/feidi-demo/alice.signed.so 2 --in '{=010203} 0300000000000000' --out 24`,
		Args: operands("the enclave's file", "what to call, an expression such as 'f(1)' or an index,..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.edl != "" {
				return a.typedCall(args[0], args[1:], &c.loading, &c.typing)
			}
			if strings.Contains(args[1], "(") {
				return usage("%.60q is called by name, which needs the enclave's EDL: --edl FILE", args[1])
			}
			if len(args) > 2 {
				return usage("one INDEX, and not %d: several calls need --edl", len(args)-1)
			}
			return a.makeCall(args[0], args[1], &c)
		},
	})
	c.loading.flags(cmd)
	c.typing.flags(a, cmd)
	cmd.Flags().StringVar(&c.in, "in", "", "the block: `hex` digits with pointers, or a file")
	cmd.Flags().IntVar(&c.out, "out", 0, "show the first `N` bytes of the block; 0 is all")
	cmd.Flags().BoolVar(&c.answer, "answer-ocalls", false, "let OCALLs succeed without any effect")
	return cmd
}

// called is the JSON object of call.
type called struct {
	File    string            `json:"file"`
	Index   int               `json:"index"`
	Status  string            `json:"status"`
	Error   string            `json:"error,omitempty"`
	Block   string            `json:"block"`
	Buffers []string          `json:"buffers"`
	CallMS  float64           `json:"call_ms"`
	OCalls  int               `json:"ocalls"`
	Leaves  map[string]uint64 `json:"leaves"` // of the call alone
}

func (a *app) makeCall(file, number string, c *calling) error {
	index, err := strconv.ParseInt(number, 0, 32)
	if err != nil || index < 0 {
		return usage("INDEX %q is not a number from 0 to 2147483647", number)
	}
	if c.out < 0 || c.out > enclave.MaxBlock {
		return usage("--out %d is not a number of bytes up to %d", c.out, enclave.MaxBlock)
	}
	b, err := parseBlock(c.in)
	if err != nil {
		return err
	}
	b.grow(c.out)
	m, err := readImage(file, c.sigstruct)
	if err != nil {
		return err
	}
	if m.Format != image.FormatIntel {
		return cannot(fmt.Errorf("%s: an SGX stream follows no ECALL contract that is known here", file))
	}
	if len(b.bytes) > enclave.MaxBlock {
		return usage("a marshalling block of %d bytes is larger than %d", len(b.bytes), enclave.MaxBlock)
	}
	ctx, stop := interruptible()
	defer stop()
	r := &called{File: file, Index: int(index), Buffers: []string{}}
	e, err := a.load(ctx, file, m, &c.loading, enclave.WithOtherOCalls(a.ocall(c.answer, &r.OCalls)))
	if err != nil {
		if e != nil {
			_ = e.close() // the first error is the one that matters
		}
		return err
	}
	before := e.leaves.counts()
	err = r.make(ctx, e, b)
	r.Leaves = since(e.leaves.counts(), before)
	if c.out > 0 {
		b.bytes = b.bytes[:c.out]
	}
	r.Block = hex.EncodeToString(b.bytes)
	if cerr := e.close(); err == nil && cerr != nil {
		return cannot(cerr)
	}
	if a.json {
		if jerr := a.writeJSON(r); jerr != nil {
			return jerr
		}
	} else {
		r.show(a, b)
	}
	return enclaveError(file, err)
}

// ocall serves every OCALL of the enclave.
func (a *app) ocall(answer bool, count *int) enclave.OCall {
	return func(_ context.Context, c *enclave.Call) enclave.Status {
		*count++
		status := enclave.ErrInvalidFunction
		if answer {
			status = enclave.Success
		}
		fmt.Fprintf(a.err, "feidi: OCALL %d, answered with %v\n", c.Index, status)
		return status
	}
}

// make makes the ECALL and gathers what it left.
func (r *called) make(ctx context.Context, e *loaded, b *block) error {
	buffers, err := b.place(e.enclave)
	if err != nil {
		r.Status, r.Error = statusName(err), err.Error()
		return err
	}
	start := time.Now()
	err = e.enclave.ECall(ctx, r.Index, b.bytes)
	r.CallMS = float64(time.Since(start).Microseconds()) / 1000
	r.Status = statusName(err)
	if err != nil {
		r.Error = err.Error()
	}
	for i, buf := range buffers {
		b.pointers[i].content = bytes.Clone(buf.Bytes())
		r.Buffers = append(r.Buffers, hex.EncodeToString(buf.Bytes()))
	}
	return err
}

func (r *called) show(a *app, b *block) {
	a.printf("ECALL %d: %s, in %.3f ms\n", r.Index, r.Status, r.CallMS)
	dump := func(title string, p []byte) {
		a.printf("%s, %d bytes\n", title, len(p))
		if len(p) > 0 {
			a.printf("  %s\n", strings.ReplaceAll(strings.TrimRight(hex.Dump(p), "\n"), "\n", "\n  "))
		}
	}
	dump("block", b.bytes)
	for i, p := range b.pointers {
		dump(fmt.Sprintf("buffer %d, at offset %d of the block", i, p.offset), p.content)
	}
	a.printf("leaves\n  %s\n", showCounts(r.Leaves))
}
