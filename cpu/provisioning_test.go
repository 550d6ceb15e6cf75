package cpu

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// The factory's key is that of EGETKEY, for requests and enclaves of all kinds.
func TestProvisioningKey(t *testing.T) {
	m := inside(t)
	random := rand.New(rand.NewPCG(1, 2))
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(random.Uint32())
		}
	}
	s := &m.enclave().secs
	seen := map[[isa.KeySize]byte]bool{}
	const requests = 300
	for range requests {
		fill(s.MRSigner[:])
		fill(s.MREnclave[:]) // on which the key does not depend
		s.ISVProdID, s.ISVSVN = uint16(random.Uint32()), uint16(random.Uint32())
		s.MiscSelect = isa.MiscSelect(random.Uint32N(2))
		s.Attributes.Flags = isa.AttrInit | isa.AttrMode64Bit | isa.AttrProvisionKey
		if random.Uint32N(2) == 0 {
			s.Attributes.Flags |= isa.AttrDebug
		}
		fill(m.p.keys.ownerEpoch[:]) // nor on this

		q := isa.KeyRequest{KeyName: isa.KeyProvision, KeyPolicy: isa.PolicyMRSigner}
		q.ISVSVN = uint16(random.Uint32N(uint32(s.ISVSVN) + 1))
		for i, most := range m.p.keys.cpuSVN {
			q.CPUSVN[i] = byte(random.Uint32N(uint32(most) + 1))
		}
		fill(q.KeyID[:])
		var mask [16]byte
		fill(mask[:])
		q.AttributeMask.Flags = isa.AttributeFlags(binary.LittleEndian.Uint64(mask[:]))
		q.AttributeMask.XFRM = isa.XFRM(binary.LittleEndian.Uint64(mask[8:]))
		q.MiscMask = isa.MiscSelect(random.Uint32())

		want, err := m.key(&q)
		if err != nil {
			t.Fatal(err)
		}
		q.KeyName = isa.KeySeal // not looked at
		if got := ProvisioningKey(m.p.keys.fuses.RootProvisioningKey, s, &q); got != want {
			t.Fatalf("request %+v: key %x, EGETKEY's %x", q, got, want)
		}
		seen[want] = true
	}
	if len(seen) != requests {
		t.Errorf("%d keys of %d requests", len(seen), requests)
	}
}
