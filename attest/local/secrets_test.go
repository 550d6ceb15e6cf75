package local

import (
	"testing"

	"github.com/feidi-dev/feidi/attest/internal/kex"
)

// Whatever a call comes to, secrets of an earlier one are gone after it.
func TestSecretsAreCleared(t *testing.T) {
	for _, step := range []kex.Step{kex.Fresh, kex.Waiting, kex.Over} {
		key, err := kex.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		r := &Responder{step: step, key: key}
		if _, _, err := r.ProcMsg2(nil, nil); err == nil || r.key != nil {
			t.Errorf("step %d, ProcMsg2: %v, key %v", step, err, r.key)
		}
		for name, call := range map[string]func(*Initiator) error{
			"ProcMsg1": func(i *Initiator) error { _, err := i.ProcMsg1(nil); return err },
			"ProcMsg3": func(i *Initiator) error { _, err := i.ProcMsg3(nil); return err },
		} {
			i := &Initiator{step: step, secret: kex.Secret{1, 15: 1}}
			if err := call(i); err == nil || i.secret != (kex.Secret{}) {
				t.Errorf("step %d, %s: %v, secret %x", step, name, err, i.secret)
			}
		}
	}
	key, err := kex.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	r := &Responder{step: kex.Waiting, key: key}
	if _, err := r.Msg1(); err == nil || r.key != nil {
		t.Errorf("Msg1 again: %v, key %v", err, r.key)
	}
}
