package sigma

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// Sizes of the messages in bytes.
const (
	Msg0Size = 4
	Msg1Size = kex.PublicSize + 4 // 68
	Msg2Size = off2SigRL          // 168, and more with a SigRL
	Msg3Size = off3Quote          // 336, and the quote
)

// Offsets of fields that are not at the start.
const (
	off1Group     = kex.PublicSize
	off2SPID      = kex.PublicSize
	off2QuoteType = off2SPID + 16
	off2KDF       = off2QuoteType + 2
	off2Signature = off2KDF + 2
	off2MAC       = off2Signature + signatureSize
	off2Length    = off2MAC + cmac.Size
	off2SigRL     = off2Length + 4
	off3GA        = cmac.Size
	off3Services  = off3GA + kex.PublicSize
	off3Quote     = off3Services + 256
)

// quoteHeaderSize is the size of the header of a quote of any version: what is
// shorter is none.
const quoteHeaderSize = 48

// Quote types of message 2.
const (
	Unlinkable uint16 = 0
	Linkable   uint16 = 1
)

// Msg0 returns message 0, Msg0Size bytes: the extended EPID group that the
// client's machine is in, which is 0 (sgx_get_extended_epid_group_id).
func Msg0(group uint32) []byte { return binary.LittleEndian.AppendUint32(nil, group) }

// Ask is what message 2 asks of whoever makes an EPID quote.
type Ask struct {
	SPID [16]byte // of the service provider, given by Intel
	Type uint16   // Unlinkable or Linkable

	// SigRL is the list of revoked signatures. It is as the host handed it
	// over: the quoting enclave checks it.
	SigRL []byte
}

type msg2 struct {
	gb        kex.Public
	ask       Ask
	signature [signatureSize]byte
	mac       [cmac.Size]byte
	maced     []byte
}

func parseMsg2(b []byte) (*msg2, error) {
	if len(b) < Msg2Size {
		return nil, malformed(2, len(b), "%d bytes, not %d or more", len(b), Msg2Size)
	}
	le := binary.LittleEndian
	m := &msg2{
		gb:        kex.Public(b),
		ask:       Ask{SPID: [16]byte(b[off2SPID:]), Type: le.Uint16(b[off2QuoteType:]), SigRL: b[off2SigRL:]},
		signature: [signatureSize]byte(b[off2Signature:]),
		mac:       [cmac.Size]byte(b[off2MAC:]),
		maced:     b[:off2MAC],
	}
	if n := le.Uint32(b[off2Length:]); uint64(n) != uint64(len(m.ask.SigRL)) {
		return nil, malformed(2, off2Length, "a SigRL of %d bytes is announced, %d follow", n, len(m.ask.SigRL))
	}
	if kdf := le.Uint16(b[off2KDF:]); kdf != kex.KDF {
		return nil, malformed(2, off2KDF, "derivation of keys %d is unknown, not %d", kdf, kex.KDF)
	}
	return m, nil
}

type msg3 struct {
	mac   [cmac.Size]byte
	maced []byte
	ga    kex.Public
	quote []byte
}

func parseMsg3(b []byte) (*msg3, error) {
	if least := Msg3Size + quoteHeaderSize; len(b) < least {
		return nil, malformed(3, len(b), "%d bytes, not %d or more", len(b), least)
	}
	for i, v := range b[off3Services:off3Quote] {
		if v != 0 {
			return nil, malformed(3, off3Services+i, "the properties of platform services are not zero")
		}
	}
	return &msg3{
		mac: [cmac.Size]byte(b), maced: b[off3GA:],
		ga: kex.Public(b[off3GA:]), quote: b[off3Quote:],
	}, nil
}
