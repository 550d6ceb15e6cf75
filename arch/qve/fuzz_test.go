package qve_test

import (
	"context"
	"testing"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
)

// part returns a place of collateral by number.
func part(c *edl.SgxQlQveCollateralT, n uint8) *[]byte {
	return []*[]byte{
		&c.PckCrlIssuerChain, &c.RootCaCrl, &c.PckCrl, &c.TcbInfoIssuerChain, &c.TcbInfo, &c.QeIdentityIssuerChain, &c.QeIdentity,
	}[n%7]
}

// FuzzVerify gives the QvE a quote, or one part of collateral, of the fuzzer's
// making. Whatever it is, there is a genuine result or an error, and a REPORT for
// the application only with a result.
func FuzzVerify(f *testing.F) {
	w := newWorld(f, kinds[0])
	c := qve.NewCollateral(w.c, dcap.TEESGX)
	f.Add([]byte(nil), uint8(0), []byte("x\x00"), w.pki.Now.Unix())
	f.Add(w.quote[:1500], uint8(1), []byte("-----BEGIN X509 CRL-----"), int64(1))
	f.Add([]byte(nil), uint8(2), asHex(w.c.PCKCRL)[:100], int64(1<<40))
	f.Add([]byte(nil), uint8(4), []byte("{\"tcbInfo\":{}}\x00"), w.pki.Now.Unix())
	f.Fuzz(func(t *testing.T, quote []byte, where uint8, value []byte, date int64) {
		if len(quote) == 0 {
			quote = w.quote
		}
		c := *c
		*part(&c, where) = value
		info, data := w.info(), supplemental(3)
		ret, _, result, err := w.server.SgxQveVerifyQuote(context.Background(), quote, &c, date, info, data)
		if err != nil || (ret == 0) != tvl.Result(result).Genuine() {
			t.Fatalf("%v, %v, %v", tvl.Code(ret), tvl.Result(result), err)
		}
		var s tvl.Supplemental
		if made := info.QeReport.MAC != [16]byte{}; made != (ret == 0) || ret == 0 && s.UnmarshalBinary(data) != nil {
			t.Errorf("%v with a REPORT: %v", tvl.Code(ret), made)
		}
		_, _, _, _ = w.server.GetFmspcCaFromQuote(context.Background(), quote, 6, 10)
	})
}
