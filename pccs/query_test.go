package pccs

import (
	"encoding/hex"
	"strings"
	"testing"
)

// FuzzQuery reads what clients send. What is taken is what was sent, and of the
// size that a database and the service behind may see.
func FuzzQuery(f *testing.F) {
	zeros := strings.Repeat("0", ppidDigits)
	f.Add("0123456789abcdef0123456789ABCDEF", "0000", "0f0F0202FF800E000000000000000000", "0b00", zeros, "")
	f.Add("a", "0000", "", "", "", "c0ffee")
	f.Fuzz(func(t *testing.T, qeID, pceID, cpuSVN, pceSVN, ppid, manifest string) {
		q := PCKQuery{QEID: qeID, PCEID: pceID, CPUSVN: cpuSVN, PCESVN: pceSVN, EncryptedPPID: ppid}
		a, e := q.read()
		if e == nil {
			if !strings.EqualFold(a.id.QEID, qeID) || len(a.id.QEID) > maxQEID || len(a.id.PCEID) != 4 ||
				!strings.EqualFold(a.raw.CPUSVN, cpuSVN) || !strings.EqualFold(a.raw.PCESVN, pceSVN) || !strings.EqualFold(hex.EncodeToString(a.ppid), ppid) {
				t.Fatalf("%+v is read as %+v", q, a)
			}
			cpu, pce := svnOf(a.raw)
			if !strings.EqualFold(hex.EncodeToString(append(cpu[:], byte(pce), byte(pce>>8))), cpuSVN+pceSVN) {
				t.Fatalf("%+v is TCB %x %d", a.raw, cpu, pce)
			}
		} else if e.Status != 400 || strings.ContainsAny(e.Message, "\r\n") {
			t.Fatalf("%+v", e)
		}
		r := Registration{QEID: qeID, PCEID: pceID, CPUSVN: cpuSVN, PCESVN: pceSVN, EncryptedPPID: ppid, Manifest: manifest}
		a, m, e := r.read()
		switch {
		case e != nil && e.Status != 400:
			t.Fatalf("%+v", e)
		case e != nil:
		case manifest != "" && (!strings.EqualFold(hex.EncodeToString(m), manifest) || a.raw.CPUSVN != "" || a.ppid != nil),
			manifest == "" && (len(a.ppid) != 384 || len(m) > 0):
			t.Fatalf("%+v is read as %+v", r, a)
		}
	})
}
