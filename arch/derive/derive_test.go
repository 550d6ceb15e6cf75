package derive_test

import (
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// The vectors are computed with Python's cryptography: CMAC, integers, and
// ec.derive_private_key.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ key, ppid, qeID, pck, pckX, pckY, att, attX, attY string }{
		{
			key:  "00000000000000000000000000000000",
			ppid: "763cbcde81df9131bf897712c088edad", qeID: "e0f15d76f237c97bc9e7478d6573ba99",
			pck:  "5520ce10b1d6ae30472508256df7546968970bc27416ae52dc3529835fffa4d6",
			pckX: "c33a0d06d301481a4c8fb530d8b8987f4e5bf3963daf2ea98876fb8656b24466",
			pckY: "3d6bc670e509c6eff08cfd94874911ef6e8a3ba689293ce5bcb375ea5ff01ff8",
			att:  "c6e52cfc79a87533736e0246b2619936bf53437ec5cb6ccb60d206f3c4651b46",
			attX: "7d9575163cf117e82e75272f19adb7bc73894885487a1d5c236b80fc85806ea3",
			attY: "8034bf0b663010503b0539031fd1c810d4014b0939faa9c85bc96662d6c40971",
		},
		{
			key:  "000102030405060708090a0b0c0d0e0f",
			ppid: "be7ed6ae787dd5544c5561c7dcd06abb", qeID: "03538228159f66c4601be60b57965ea4",
			pck:  "49f96a0fa2027b416e641c07353fcd62ded815e9c2aa1d0c13dd40539a1cb0ca",
			pckX: "a6389be260c54d77558d2d6dfc77289268cf4cd1f669a48532e3d88b772319e0",
			pckY: "19360f33ba195c0922e20a3ca39c2a3ad4d268b5aa57b5ab24faf7b18a002463",
			att:  "b7112febfa341d3b779e1358376852ca59534d7778d2a55a1d8ac60fdde8cc4a",
			attX: "5fcd12c17e5717067b1032c9b974090cb871b38f8be23b7e32c4dd520401752b",
			attY: "a2aab1dec2de9169c3a517820f2f82f90ada447b62cd48d169cd0d948a31b385",
		},
	} {
		key := [16]byte(unhex(t, v.key))
		if got := derive.PPID(key); hex.EncodeToString(got[:]) != v.ppid {
			t.Errorf("%s: PPID %x, want %s", v.key, got, v.ppid)
		}
		if got := derive.QEID(key); hex.EncodeToString(got[:]) != v.qeID {
			t.Errorf("%s: QE ID %x, want %s", v.key, got, v.qeID)
		}
		for _, k := range []struct{ got, want string }{
			{private(t, derive.PCK(key).Bytes), v.pck},
			{private(t, derive.PCK(key).PublicKey.Bytes), "04" + v.pckX + v.pckY},
			{private(t, derive.AttestationKey(key).Bytes), v.att},
			{private(t, derive.AttestationKey(key).PublicKey.Bytes), "04" + v.attX + v.attY},
		} {
			if k.got != k.want {
				t.Errorf("%s: %s, want %s", v.key, k.got, k.want)
			}
		}
	}
}

// The reduction by hand: digit by digit, as it is taught, in place of Mod.
func TestReduction(t *testing.T) {
	last, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", 16) // n-1
	for i := range 64 {
		key := [16]byte{byte(i), 0xA5}
		var x []byte
		for c := byte(1); c <= 3; c++ {
			b := cmac.Sum(key, []byte{c, 'P', 'A', 'K', '_', 'K', 'E', 'Y', '_', 'D', 'E', 'R', 0, 0, 1, 0x40})
			x = append(x, b[:]...)
		}
		rest := new(big.Int)
		for _, b := range x[:40] {
			rest.Add(rest.Lsh(rest, 8), big.NewInt(int64(b)))
			for rest.Cmp(last) >= 0 {
				rest.Sub(rest, last)
			}
		}
		rest.Add(rest, big.NewInt(1))
		if got := private(t, derive.PCK(key).Bytes); got != hex.EncodeToString(rest.FillBytes(make([]byte, 32))) {
			t.Errorf("key %x: PCK %s, by hand %x", key, got, rest)
		}
	}
}

// The requests, byte for byte: masks that let MODE64BIT and XFRM vary.
func TestRequests(t *testing.T) {
	svn := [16]byte{1, 2, 3, 15: 9}
	p, s := derive.ProvisioningRequest(svn, 0x0102), derive.SealRequest(svn, 0x0102)
	for _, c := range []struct {
		request *isa.KeyRequest
		head    string // KEYNAME, KEYPOLICY
	}{{&p, "01000000"}, {&s, "04000200"}} {
		b, err := c.request.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, 512)
		copy(want, unhex(t, c.head+"0201"+"0000"+"01020300000000000000000000000009"+"fbffffffffffffff"))
		copy(want[72:], unhex(t, "ffffffff"))
		if string(b) != string(want) {
			t.Errorf("request %x, want %x", b[:80], want[:80])
		}
	}
}

func private(t *testing.T, bytes func() ([]byte, error)) string {
	t.Helper()
	b, err := bytes()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
