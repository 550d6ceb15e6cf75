package dcap_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// What encoding/json can do at best with the same documents: it leaves digits
// as text, and checks nothing.
type (
	plainEnd struct {
		TCBDate     time.Time      `json:"tcbDate"`
		TCBStatus   dcap.TCBStatus `json:"tcbStatus"`
		AdvisoryIDs []string       `json:"advisoryIDs"`
	}
	plainTCBInfo struct {
		TCBInfo struct {
			ID                      string       `json:"id"`
			Version                 uint32       `json:"version"`
			IssueDate               time.Time    `json:"issueDate"`
			NextUpdate              time.Time    `json:"nextUpdate"`
			FMSPC                   string       `json:"fmspc"`
			PCEID                   string       `json:"pceId"`
			TCBType                 uint32       `json:"tcbType"`
			TCBEvaluationDataNumber uint32       `json:"tcbEvaluationDataNumber"`
			TDXModule               *refModule   `json:"tdxModule"`
			TDXModuleIdentities     []plainLevel `json:"tdxModuleIdentities"`
			TCBLevels               []struct {
				TCB struct {
					SGX    [16]dcap.TCBComponent `json:"sgxtcbcomponents"`
					PCESVN uint16                `json:"pcesvn"`
					TDX    [16]dcap.TCBComponent `json:"tdxtcbcomponents"`
				} `json:"tcb"`
				plainEnd
			} `json:"tcbLevels"`
		} `json:"tcbInfo"`
		Signature string `json:"signature"`
	}
	plainLevel struct {
		TCB struct {
			ISVSVN uint16 `json:"isvsvn"`
		} `json:"tcb"`
		plainEnd
	}
	plainIdentity struct {
		EnclaveIdentity struct {
			ID                      string    `json:"id"`
			Version                 uint32    `json:"version"`
			IssueDate               time.Time `json:"issueDate"`
			NextUpdate              time.Time `json:"nextUpdate"`
			TCBEvaluationDataNumber uint32    `json:"tcbEvaluationDataNumber"`
			MiscSelect              string    `json:"miscselect"`
			MiscSelectMask          string    `json:"miscselectMask"`
			refModule
			ISVProdID uint16       `json:"isvprodid"`
			TCBLevels []plainLevel `json:"tcbLevels"`
		} `json:"enclaveIdentity"`
		Signature string `json:"signature"`
	}
)

func BenchmarkParseTCBInfo(b *testing.B) {
	for name, set := range map[string]string{"SGX": "01", "TDX": "02"} {
		doc := vectors.Named(b, set).Collateral.TCBInfo
		b.Run(name+"/feidi", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dcap.ParseTCBInfo(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) { benchmarkPlain[plainTCBInfo](b, doc) })
	}
}

func BenchmarkParseEnclaveIdentity(b *testing.B) {
	doc := vectors.Named(b, "01").Collateral.QEIdentity
	b.Run("feidi", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dcap.ParseEnclaveIdentity(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) { benchmarkPlain[plainIdentity](b, doc) })
}

func benchmarkPlain[T any](b *testing.B, doc []byte) {
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var v T
		if err := json.Unmarshal(doc, &v); err != nil {
			b.Fatal(err)
		}
	}
}
