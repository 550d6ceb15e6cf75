package sigma

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// samples are the two runs of the sample RemoteAttestation of Intel's SDK, whose
// messages are in its isv_app/sample_messages.h and are not ours to keep:
// FEIDI_SIGMA names a file with them, in lines of a name (msg1, msg2 without the
// header of 8 bytes, msg3, result) and hexadecimal digits.
func samples(t *testing.T) (runs []map[string][]byte) {
	t.Helper()
	file := os.Getenv("FEIDI_SIGMA")
	if file == "" {
		t.Skip("FEIDI_SIGMA does not name the messages of Intel's sample")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		if name == "msg1" {
			runs = append(runs, map[string][]byte{})
		}
		runs[len(runs)-1][name] = b
	}
	return runs
}

// sampleKeys are the sample's public key, in the SDK's byte order, and its
// ephemeral key, which is eight words of 9: the sample draws no random numbers.
// It follows from the signature's r, which is the x coordinate of g_b.
func sampleKeys(t *testing.T) (*ecdsa.PublicKey, *ecdh.PrivateKey) {
	t.Helper()
	b, err := hex.DecodeString("72128a7a17526ebf85d03a623730aead3e3daaee9c60731db05be8621c4beb38" +
		"d48140d950e2577b26eeb741e7c614e224b7bdc903f29a28a83cc81011145e06")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), kex.Public(b).Uncompressed())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{0, 0, 0, 9}, 8))
	if err != nil {
		t.Fatal(err)
	}
	return pub, key
}

// Intel's messages are good: signature and CMACs, report data, and all keys.
func TestIntelMessages(t *testing.T) {
	pub, key := sampleKeys(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	runs := samples(t)
	if len(runs) != 2 {
		t.Fatalf("%d runs", len(runs))
	}
	for _, run := range runs {
		// The client, but for its private key.
		m, err := parseMsg2(run["msg2"])
		if err != nil {
			t.Fatal(err)
		}
		secret, err := kex.Agree(key, kex.Public(run["msg1"]))
		if err != nil {
			t.Fatal(err)
		}
		tr := transcript{ga: kex.Public(run["msg1"]), gb: m.gb, secret: secret}
		if err := m.check(pub, &tr); err != nil {
			t.Error(err)
		}
		if string(m.ask.SPID[:]) != "Service X\x00\x00\x00\x00\x00\x00\x00" || m.ask.Type != Linkable || len(m.ask.SigRL) != 0 {
			t.Errorf("message 2 asks for %+v", m.ask)
		}

		// The provider, but for its signature.
		var quote []byte
		var data [64]byte
		p, err := NewProvider(&Config{
			Key: private, SPID: m.ask.SPID, QuoteType: Linkable,
			SigRL:  func([4]byte) ([]byte, error) { return nil, nil },
			Verify: func(q []byte, d [64]byte) error { quote, data = q, d; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		p.step.Enter(kex.Fresh)
		m2, err := p.procMsg1(run["msg1"], key)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m2[:84], run["msg2"][:84]) || !bytes.Equal(m2[164:], run["msg2"][164:]) {
			t.Errorf("message 2\n%x, want\n%x", m2, run["msg2"])
		}
		keys, err := p.ProcMsg3(run["msg3"])
		if err != nil {
			t.Fatal(err)
		}
		if len(quote) != 1116 || !bytes.Equal(quote[368:432], data[:]) {
			t.Errorf("report data %x, in the quote of %d bytes %x", data, len(quote), quote[368:432])
		}

		// What the provider sent then: 97 bytes, their CMAC under MK, and the
		// tag of the bytes 0 to 7 encrypted under SK.
		result := run["result"]
		if mac := cmac.Sum(keys.MK, result[:97]); !bytes.Equal(mac[:], result[97:113]) {
			t.Errorf("CMAC %x, want %x", mac, result[97:113])
		}
		block, err := aes.NewCipher(keys.SK[:])
		if err != nil {
			t.Fatal(err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		sealed := gcm.Seal(nil, make([]byte, 12), []byte{0, 1, 2, 3, 4, 5, 6, 7}, nil)
		if !bytes.Equal(sealed[8:], result[129:]) {
			t.Errorf("tag %x, want %x", sealed[8:], result[129:])
		}
		if p.transcript.secret != (kex.Secret{}) {
			t.Error("the secret is still there")
		}
	}
}
