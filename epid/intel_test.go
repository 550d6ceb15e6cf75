package epid_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// intelSDK is a folder with Intel's EPID SDK, as its public repository or that
// of SGX's SDK (external/epid-sdk) has it. Its data are not part of this
// repository. FEIDI_EPID names it.
func intelSDK(t *testing.T) string {
	dir := os.Getenv("FEIDI_EPID")
	if dir == "" {
		t.Skip("FEIDI_EPID does not name a folder with Intel's EPID SDK")
	}
	return dir
}

// firstDir is the first of the folders that exists: they move between versions.
func firstDir(t *testing.T, root string, names ...string) string {
	for _, n := range names {
		dir := filepath.Join(root, filepath.FromSlash(n))
		if i, err := os.Stat(dir); err == nil && i.IsDir() {
			return dir
		}
	}
	t.Fatalf("%s has none of %q", root, names)
	return ""
}

// intelData reads test data by name: C source with octets.
func intelData(t *testing.T) func(name string) []byte {
	dir := firstDir(t, intelSDK(t), "epid/common-testhelper/testdata", "epid/internal/testhelper/include/testhelper/testdata")
	comment := regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	octet := regexp.MustCompile(`0[xX][0-9a-fA-F]{1,2}\b`)
	return func(name string) (b []byte) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)+".inc"))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range octet.FindAll(comment.ReplaceAll(text, nil), -1) {
			v, err := strconv.ParseUint(string(o[2:]), 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, byte(v))
		}
		return b
	}
}

// The SDK's group IDs have 16 bytes, of which SGX has the last 4.
func sgxID(b []byte) []byte { return b[12:] }

func parsed[T any](t *testing.T, b []byte, parse func([]byte) (T, error)) T {
	t.Helper()
	v, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func intelGroup(t *testing.T, read func(string) []byte, name string) *epid.Group {
	t.Helper()
	g, err := epid.NewGroup(parsed(t, sgxID(read(name)), epid.ParsePublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Signatures that Intel's SDK made, and what its verifier's tests say of them.
func TestIntelSignatures(t *testing.T) {
	read := intelData(t)
	const x = "grp_x/member0/sig_"
	for _, c := range []struct {
		group, signature, message, basename string
		hash                                epid.Hash
		priv, sig, group3, verifier         string
		want                                error
	}{
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", basename: "bsn0", sig: "grp_x/sigrl", priv: "grp_x/privrl", group3: "grprl", verifier: "grp_x/verrevoked/bsn0/verrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg1", basename: "bsn0", want: epid.ErrSignature},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", basename: "bsn1", want: epid.ErrSignature},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", hash: epid.SHA512, want: epid.ErrSignature},
		{group: "grp_y/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", want: epid.ErrSignature},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", sig: "grp_x/sigrl_ver_2", want: epid.ErrList},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg1", message: "msg1", basename: "bsn0", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn1_msg0", message: "msg0", basename: "bsn1", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_rndbase_msg0", message: "msg0", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_rndbase_msg1", message: "msg1", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha384_bsn0_msg0", message: "msg0", basename: "bsn0", hash: epid.SHA384, sig: "grp_x/sigrl", verifier: "grp_x/verrevoked/bsn0/verrl_sha384"},
		{group: "grp_x/pubkey", signature: x + "sha384_rndbase_msg0", message: "msg0", hash: epid.SHA384, sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha512_bsn0_msg0", message: "msg0", basename: "bsn0", hash: epid.SHA512, sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha512_rndbase_msg0", message: "msg0", hash: epid.SHA512, sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha512_256_bsn0_msg0", message: "msg0", basename: "bsn0", hash: epid.SHA512_256, sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha512_256_rndbase_msg0_no_sigrl", message: "msg0", hash: epid.SHA512_256},
		{group: "grp_x/pubkey", signature: "grp_x/member1/sig_sha256_bsn0_msg0", message: "msg0", basename: "bsn0", sig: "grp_x/sigrl"},
		{group: "grp_x/pubkey", signature: x + "sha256_bsn0_msg0", message: "msg0", group3: "grprl_revoked_grp_x_middle_entry", want: epid.ErrGroupRevoked},
		{group: "grp_x/pubkey", signature: "grp_x/privrevoked/signatures/sig_sha256_bsn0_msg0_revkey000", message: "msg0", priv: "grp_x/privrl", want: epid.ErrKeyRevoked},
		{group: "grp_x/pubkey", signature: "grp_x/privrevoked/signatures/sig_sha256_bsn0_msg0_revkey002", message: "msg0", priv: "grp_x/privrl", want: epid.ErrKeyRevoked},
		{group: "grp_x/pubkey", signature: "grp_x/verrevoked/bsn0/sig_revoked1sha256bsn0msg0", message: "msg0", basename: "bsn0", verifier: "grp_x/verrevoked/bsn0/verrl", want: epid.ErrVerifierRevoked},
		{group: "grp_x/pubkey", signature: "grp_x/verrevoked/bsn0/sig_revoked2sha512bsn0msg0", message: "msg0", basename: "bsn0", hash: epid.SHA512, verifier: "grp_x/verrevoked/bsn0/verrl_sha512", want: epid.ErrVerifierRevoked},
		{group: "grp01/gpubkey", signature: "grp01/member0/sig_test0_sha256_sigrl", message: "test message\x00"},
		{group: "grp01/gpubkey", signature: "grp01/member0/sig_test0_sha384_sigrl", message: "test message\x00", hash: epid.SHA384},
		{group: "grp01/gpubkey", signature: "grp01/member0/sig_test0_sha512_sigrl", message: "test message\x00", hash: epid.SHA512},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_msg0_sha256_sigrl", message: "msg0", sig: "ikgf/groupa/sigrl"},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_sha256_bsn0_msg0", message: "msg0", basename: "bsn0", priv: "ikgf/groupa/privrl", group3: "ikgf/grprl"},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_sha256_bsn0_msg0_empty_sigrl", message: "msg0", basename: "bsn0", sig: "ikgf/groupa/sigrl_empty"},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_sha256_rndbase_msg0", message: "msg0", sig: "ikgf/groupa/sigrl"},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_sha256_bsn0_msg0_revkey", message: "msg0", priv: "ikgf/groupa/privrl", want: epid.ErrKeyRevoked},
		{group: "ikgf/groupa/pubkey", signature: "ikgf/groupa/sig_sigrevoked_sha256_bsn0_msg0", message: "msg0", sig: "ikgf/groupa/sigrl", want: epid.ErrSignatureRevoked},
	} {
		t.Run(c.signature, func(t *testing.T) {
			raw := read(c.signature)
			s := parsed(t, raw, epid.ParseSignature)
			if !bytes.Equal(s.Bytes(), raw) {
				t.Error("the signature's bytes change")
			}
			v := epid.Verifier{Group: intelGroup(t, read, c.group), Hash: c.hash, Basename: []byte(c.basename)}
			if c.priv != "" {
				v.PrivRL = parsed(t, sgxID(read(c.priv)), epid.ParsePrivRL)
			}
			if c.sig != "" {
				v.SigRL = parsed(t, sgxID(read(c.sig)), epid.ParseSigRL)
			}
			if c.group3 != "" {
				b := read(c.group3)
				short := bytes.Clone(b[:8])
				for i := 8; i < len(b); i += 16 {
					short = append(short, b[i+12:i+16]...)
				}
				v.GroupRL = parsed(t, short, epid.ParseGroupRL)
			}
			if c.verifier != "" {
				v.VerifierRL = parsed(t, sgxID(read(c.verifier)), epid.ParseVerifierRL)
			}
			if err := v.Verify(s, []byte(c.message)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// Keys that Intel's issuer made: they are members, and what they sign verifies
// and has the pseudonym of Intel's signatures.
func TestIntelKeys(t *testing.T) {
	read := intelData(t)
	g := intelGroup(t, read, "grp_x/pubkey")
	for key, signature := range map[string]string{
		"grp_x/member0/mprivkey":            "grp_x/member0/sig_sha256_bsn0_msg0",
		"grp_x/member1/mprivkey":            "grp_x/member1/sig_sha256_bsn0_msg0",
		"grp_x/privrevoked/mprivatekey000":  "grp_x/privrevoked/signatures/sig_sha256_bsn0_msg0_revkey000",
		"grp_x/verrevoked/bsn0/mprivkey002": "grp_x/verrevoked/bsn0/sig_revoked2sha256bsn0msg0",
		"grp_x/sigrevoked/mprivatekey001":   "",
		"grp_x/cmember9/mprivkey":           "",
	} {
		m, err := g.NewMember(parsed(t, sgxID(read(key)), epid.ParsePrivateKey), epid.SHA256)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		l := parsed(t, sgxID(read("grp_x/sigrl")), epid.ParseSigRL)
		s, err := m.Sign(nil, []byte("msg0"), []byte("bsn0"), l)
		if strings.Contains(key, "sigrevoked") {
			if !errors.Is(err, epid.ErrSignatureRevoked) {
				t.Errorf("%s: %v", key, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		v := epid.Verifier{Group: g, Basename: []byte("bsn0"), SigRL: l}
		if err := v.Verify(s, []byte("msg0")); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if signature != "" && !epid.Linked(s, parsed(t, read(signature), epid.ParseSignature)) {
			t.Errorf("%s: K is not that of %s", key, signature)
		}
	}

	compressed := parsed(t, sgxID(read("grp_x/cmember9/cmpprivkey")), epid.ParseCompressedKey)
	k, err := g.Decompress(compressed)
	if err != nil {
		t.Fatal(err)
	}
	if want := sgxID(read("grp_x/cmember9/mprivkey")); !bytes.Equal(k.Bytes(), want) {
		t.Errorf("decompressed key is\n%x, want\n%x", k.Bytes(), want)
	}

	issuer, err := epid.OpenIssuer(g.PublicKey(), parsed(t, sgxID(read("grp_x/iprivkey")), epid.ParseIssuerKey))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := issuer.Compressed(compressed.Seed); err != nil || again != compressed {
		t.Errorf("compressed key is %x, want %x: %v", again, compressed, err)
	}
}

// Files that Intel's issuer signed. cacert.bin has the key at offset 4.
func TestIntelFiles(t *testing.T) {
	dir := firstDir(t, intelSDK(t), "example/data", "example/compressed_data")
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, read("cacert.bin")[4:68]...))
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string][]byte{}
	for name, typ := range map[string]epid.FileType{
		"pubkey.bin": epid.FilePublicKey, "privrl.bin": epid.FilePrivRL, "sigrl.bin": epid.FileSigRL,
		"groupa/pubkey.bin": epid.FilePublicKey, "groupa/privrl.bin": epid.FilePrivRL, "groupa/sigrl.bin": epid.FileSigRL,
		"grprl.bin": epid.FileGroupRL,
	} {
		body, err := epid.OpenFile(key, typ, read(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bodies[name] = body
	}
	g, err := epid.NewGroup(parsed(t, sgxID(bodies["groupa/pubkey.bin"]), epid.ParsePublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v := epid.Verifier{
		Group:  g,
		PrivRL: parsed(t, sgxID(bodies["groupa/privrl.bin"]), epid.ParsePrivRL),
		SigRL:  parsed(t, sgxID(bodies["groupa/sigrl.bin"]), epid.ParseSigRL),
	}
	for member, want := range map[string]error{"member0": nil, "privrevokedmember0": epid.ErrKeyRevoked, "sigrevokedmember0": epid.ErrSignatureRevoked} {
		raw := sgxID(read("groupa/" + member + "/mprivkey.dat"))
		var k epid.PrivateKey
		if len(raw) == epid.CompressedKeySize {
			k, err = g.Decompress(parsed(t, raw, epid.ParseCompressedKey))
		} else {
			k, err = epid.ParsePrivateKey(raw)
		}
		if err != nil {
			t.Errorf("%s: %v", member, err)
			continue
		}
		m, err := g.NewMember(k, epid.SHA256)
		if err != nil {
			t.Errorf("%s: %v", member, err)
			continue
		}
		s, err := m.Sign(nil, []byte("message"), nil, v.SigRL)
		if err == nil {
			err = v.Verify(s, []byte("message"))
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", member, err, want)
		}
	}
}

// Pairings that Intel's SDK computed for a member: e12, e22, e2w and ea2.
func TestIntelPairings(t *testing.T) {
	read := intelData(t)
	g := intelGroup(t, read, "ikgf/groupa/pubkey").PublicKey()
	k := parsed(t, sgxID(read("ikgf/groupa/member0/mprivkey")), epid.ParsePrivateKey)
	want := read("ikgf/groupa/member0/mprecomp")
	if len(want) < 2*384 {
		t.Fatalf("%d bytes", len(want)) // the copy in SGX's SDK ends after two
	}
	g2 := bn.Generator2().Bytes()
	for i, c := range []struct {
		p epid.Point
		q epid.Point2
	}{{g.H1, g2}, {g.H2, g2}, {g.H2, g.W}, {k.A, g2}} {
		if len(want) < 384 {
			break
		}
		p, err := bn.NewG1(c.p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := bn.NewG2(c.q)
		if err != nil {
			t.Fatal(err)
		}
		l, err := bn.Prepare(q)
		if err != nil {
			t.Fatal(err)
		}
		if got := bn.Pair(bn.PairTerm{P: p, Q: l}).Bytes(); !bytes.HasPrefix(want, got[:]) {
			t.Errorf("pairing %d differs", i)
		}
		want = want[384:]
	}
}
