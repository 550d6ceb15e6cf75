package exchange_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// otherFMSPC is that of the platform with one package.
var otherFMSPC = [6]byte{0x00, 0x90, 0x6E, 0xD5, 0x00, 0x00}

// world is a fake Intel with a platform of each CA.
type world struct {
	*testpki.PKI
	multi, single *testpki.Platform
}

func newWorld() *world { return newWorldOf("exchange") }

func newWorldOf(seed string) *world {
	w := &world{PKI: testpki.New(testpki.Seed(seed))}
	w.multi = w.Platform()
	w.single = w.Platform(testpki.FMSPC(otherFMSPC), testpki.SinglePackage)
	return w
}

func upper(b []byte) string { return fmt.Sprintf("%X", b) }

func tcbm(m *testpki.Platform) string {
	return upper(binary.LittleEndian.AppendUint16(bytes.Clone(m.SGX.CPUSVN[:]), m.SGX.PCESVN))
}

// row is a platform as an administrator has it, with one TCB.
func row(m *testpki.Platform, ca string) store.Platform {
	pcesvn := binary.LittleEndian.AppendUint16(nil, m.SGX.PCESVN)
	return store.Platform{
		PlatformID:    store.PlatformID{QEID: upper(m.QEID[:]), PCEID: upper(m.SGX.PCEID[:])},
		EncryptedPPID: bytes.Clone(m.EncryptedPPID[:]),
		FMSPC:         upper(m.SGX.FMSPC[:]), CA: ca,
		Issuers: bytes.Join([][]byte{m.CA().PEM(), m.PKI.Root.PEM()}, nil),
		TCBs:    []store.RawTCB{{CPUSVN: upper(m.SGX.CPUSVN[:]), PCESVN: upper(pcesvn)}},
		Certs:   []store.PCKCert{{TCBm: tcbm(m), Cert: string(m.PCK.PEM())}},
	}
}

// collateral is all that there is, in the order that a file has it in.
func (w *world) collateral() *pccs.Collateral {
	c := &pccs.Collateral{RootCRL: w.Root.CRL()}
	add := func(item collateral.Item, body, chain []byte) {
		item.API = 4
		c.Documents = append(c.Documents, collateral.Document{Item: item, Body: body, Chain: chain})
	}
	signing := w.TCBChainPEM()
	for _, m := range []*testpki.Platform{w.multi, w.single} {
		fmspc := upper(m.SGX.FMSPC[:])
		add(collateral.Item{Kind: collateral.TCBInfo, FMSPC: fmspc, Update: collateral.Standard}, w.TCBInfoJSON(m.TCBInfo(dcap.TEESGX)), signing)
		early := *m.TCBInfo(dcap.TEESGX)
		early.EvaluationDataNumber++
		add(collateral.Item{Kind: collateral.TCBInfo, FMSPC: fmspc, Update: collateral.Early}, w.TCBInfoJSON(&early), signing)
	}
	add(collateral.Item{Kind: collateral.TCBInfo, TEE: dcap.TEETDX, FMSPC: upper(w.multi.SGX.FMSPC[:]), Update: collateral.Standard}, w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEETDX)), signing)
	add(collateral.Item{Kind: collateral.PCKCRL, CA: "platform"}, w.PlatformCA.CRL(), bytes.Join([][]byte{w.PlatformCA.PEM(), w.Root.PEM()}, nil))
	add(collateral.Item{Kind: collateral.PCKCRL, CA: "processor"}, w.ProcessorCA.CRL(), bytes.Join([][]byte{w.ProcessorCA.PEM(), w.Root.PEM()}, nil))
	add(collateral.Item{Kind: collateral.QEIdentity, Update: collateral.Standard}, w.IdentityJSON(w.QE), signing)
	add(collateral.Item{Kind: collateral.QEIdentity, TEE: dcap.TEETDX, Update: collateral.Standard}, w.IdentityJSON(w.TDQE), signing)
	add(collateral.Item{Kind: collateral.QVEIdentity, Update: collateral.Standard}, w.IdentityJSON(w.QVE), signing)
	c.Platforms = []store.Platform{row(w.multi, "platform"), row(w.single, "processor")}
	return c
}

// file is the collateral as a platform_collaterals.json.
func file(t testing.TB, c *pccs.Collateral) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := exchange.WriteCollateral(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
