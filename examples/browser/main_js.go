package main

import (
	"syscall/js"
	"time"
)

// main gives the page the function
//
//	feidiVerify(quote: Uint8Array, collateral: string, at?: string, root?: string): object
//
// which returns what `feidi verify --json --explain` writes, or an object with
// the key "error". at is now if it is missing; root is a root certificate in
// PEM, to be trusted in place of Intel's.
func main() {
	js.Global().Set("feidiVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		q, problem := ask(args)
		if problem != "" {
			return map[string]any{"error": problem}
		}
		b, err := answer(q)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return js.Global().Get("JSON").Call("parse", string(b))
	}))
	if ready := js.Global().Get("feidiReady"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {} // the function is to stay
}

// ask reads the arguments of feidiVerify. What is of another type is refused
// here, since package js panics.
func ask(args []js.Value) (q question, problem string) {
	if len(args) < 2 || !args[0].InstanceOf(js.Global().Get("Uint8Array")) || args[1].Type() != js.TypeString {
		return q, "feidiVerify takes the quote as a Uint8Array and the collateral as a string of JSON"
	}
	q.quote = make([]byte, args[0].Length())
	js.CopyBytesToGo(q.quote, args[0])
	q.collateral = []byte(args[1].String())
	q.at = time.Now().UTC().Format(time.RFC3339)
	for i, set := range []func(string){func(s string) { q.at = s }, func(s string) { q.root = []byte(s) }} {
		if i+2 >= len(args) || args[i+2].IsUndefined() || args[i+2].IsNull() {
			continue
		}
		if args[i+2].Type() != js.TypeString {
			return q, "the time and the root of feidiVerify are strings"
		}
		if s := args[i+2].String(); s != "" {
			set(s)
		}
	}
	return q, ""
}
