package exchange_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/pccs/exchange"
)

var update = flag.Bool("update", false, "write the sample files in testdata again")

// The sample files, which the help of verbs uses, are what this package writes of
// a world that everybody can make.
func TestSamples(t *testing.T) {
	w := newWorld()
	r := registration(w.multi)
	csv := hex.EncodeToString(r.EncryptedPPID) + "," + r.PCEID + "," + r.CPUSVN + "," + r.PCESVN + "," + r.QEID
	for name, want := range map[string][]byte{
		"platform_collaterals.json": file(t, w.collateral()),
		"pckid_retrieval.csv":       []byte(csv),
		"root.pem":                  w.Root.PEM(),
	} {
		path := filepath.Join("testdata", "sample", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("%s is not what is written now (go test -run TestSamples -update): %v", name, err)
		}
	}
	if list, err := exchange.ParseCSV([]byte(csv)); err != nil || len(list) != 1 {
		t.Errorf("%d platforms, %v", len(list), err)
	}
}
