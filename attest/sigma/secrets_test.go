package sigma

import (
	"testing"

	"github.com/feidi-dev/feidi/attest/internal/kex"
)

// Whatever a call comes to, secrets of an earlier one are gone after it.
func TestSecretsAreCleared(t *testing.T) {
	key, err := kex.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []kex.Step{kex.Waiting, kex.Over} {
		for name, call := range map[string]func(*Client) error{
			"Msg1":     func(c *Client) error { _, err := c.Msg1(); return err },
			"ProcMsg2": func(c *Client) error { _, _, err := c.ProcMsg2(nil); return err },
		} {
			c := &Client{step: step, key: key}
			if err := call(c); err == nil || c.key != nil {
				t.Errorf("step %d, %s: %v, key %v", step, name, err, c.key)
			}
		}
		for name, call := range map[string]func(*Provider) error{
			"ProcMsg0": func(p *Provider) error { return p.ProcMsg0(Msg0(0)) },
			"ProcMsg1": func(p *Provider) error { _, err := p.ProcMsg1(nil); return err },
			"ProcMsg3": func(p *Provider) error { _, err := p.ProcMsg3(nil); return err },
		} {
			p := &Provider{config: &Config{}, step: step}
			p.transcript.secret = kex.Secret{1, 15: 1}
			if err := call(p); err == nil || p.transcript.secret != (kex.Secret{}) {
				t.Errorf("step %d, %s: %v, secret %x", step, name, err, p.transcript.secret)
			}
		}
	}
}
