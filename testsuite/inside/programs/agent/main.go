// Agent does what its host asks for, a line at a time: a verb and its
// arguments, byte strings in hexadecimal. It answers with a line: ok and byte
// strings, or error and what it says.
package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/isa"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		verb, rest, _ := strings.Cut(in.Text(), " ")
		answer, err := serve(verb, strings.Split(rest, " "))
		if err != nil {
			fmt.Printf("error %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		line := "ok"
		for _, b := range answer {
			line += " " + hex.EncodeToString(b)
		}
		fmt.Println(line)
	}
}

// verbs are what the agent can do.
var verbs = map[string]func(args [][]byte) ([][]byte, error){
	"self": func([][]byte) ([][]byte, error) {
		id, err := inside.Self()
		if err != nil {
			return nil, err
		}
		return [][]byte{id.MREnclave[:], id.MRSigner[:], {byte(id.ISVProdID), byte(id.ISVProdID >> 8)}, {byte(id.ISVSVN), byte(id.ISVSVN >> 8)}, {flag(id.Debug())}, {flag(inside.Enclosed())}}, nil
	},
	"target": func([][]byte) ([][]byte, error) {
		t, err := inside.Target()
		if err != nil {
			return nil, err
		}
		return one(t.AppendBinary(nil))
	},
	"report": func(args [][]byte) ([][]byte, error) {
		var t isa.TargetInfo
		if err := t.UnmarshalBinary(args[0]); err != nil {
			return nil, err
		}
		var data [64]byte
		copy(data[:], args[1])
		r, err := inside.Report(&t, data)
		if err != nil {
			return nil, err
		}
		return one(r.AppendBinary(nil))
	},
	"verify": func(args [][]byte) ([][]byte, error) {
		var r isa.Report
		if err := r.UnmarshalBinary(args[0]); err != nil {
			return nil, err
		}
		return nil, inside.VerifyReport(&r)
	},
	"key": func(args [][]byte) ([][]byte, error) {
		k, err := inside.Key(policy(args[0]))
		return [][]byte{k[:]}, err
	},
	"getkey": func(args [][]byte) ([][]byte, error) {
		var q isa.KeyRequest
		if err := q.UnmarshalBinary(args[0]); err != nil {
			return nil, err
		}
		k, err := inside.GetKey(&q)
		return [][]byte{k[:]}, err
	},
	"seal": func(args [][]byte) ([][]byte, error) { return one(inside.Seal(args[1], args[2], policy(args[0]))) },
	"unseal": func(args [][]byte) ([][]byte, error) {
		plaintext, additional, err := inside.Unseal(args[0])
		return [][]byte{plaintext, additional}, err
	},
	// write and read a file of a sealed directory.
	"write": func(args [][]byte) (answer [][]byte, err error) {
		d, err := inside.OpenSealed(string(args[1]), &inside.SealedOptions{Policy: policy(args[0])})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		return nil, d.WriteFile(string(args[2]), args[3])
	},
	"read": func(args [][]byte) (answer [][]byte, err error) {
		d, err := inside.OpenSealed(string(args[1]), &inside.SealedOptions{Policy: policy(args[0])})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		return one(d.ReadFile(string(args[2])))
	},
}

func serve(verb string, words []string) ([][]byte, error) {
	f := verbs[verb]
	if f == nil {
		return nil, fmt.Errorf("no verb %q", verb)
	}
	args := make([][]byte, max(4, len(words)))
	for i, w := range words {
		b, err := hex.DecodeString(w)
		if err != nil {
			return nil, err
		}
		args[i] = b
	}
	return f(args)
}

func one(b []byte, err error) ([][]byte, error) { return [][]byte{b}, err }

func policy(b []byte) isa.KeyPolicy { return isa.KeyPolicy(b[0]) }

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}
