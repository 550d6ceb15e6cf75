package pccs

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestIntelLibrary has the client itself ask Intel's service.
func TestIntelLibrary(t *testing.T) {
	p, f := intel(t, "FEIDI_PCCS_INTEL"), fleet.New()
	p.fill(t, f)
	p.nineCalls(t, f)
}

// nineCalls has Intel's client itself, libsgx_default_qcnl_wrapper.so in
// FEIDI_QCNL, ask for all that it can ask for.
func (p *peer) nineCalls(t *testing.T, f *fleet.Fleet) {
	lib := os.Getenv("FEIDI_QCNL")
	if lib == "" {
		t.Skip("FEIDI_QCNL names no client of Intel's")
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "qcnl")
	if out, err := exec.Command(cc, "-Wall", "-Werror", "-o", program, "testdata/qcnl.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := f.Multi
	qeid, pceid := m.ID()
	fmspc := m.FMSPC()
	policy := token("LLLL", classSGX)
	p.check(t, send("PUT", "v4/appraisalpolicy", `{"is_default":true,"fmspc":"`+fmspc+`","policy":"`+policy+`"}`, "admin-token: "+p.admin), answer{status: 200, body: sha384(policy)})
	for _, v := range variants {
		t.Run(v.api+" "+v.version, func(t *testing.T) {
			conf := filepath.Join(t.TempDir(), "qcnl.conf")
			text := fmt.Sprintf(`{"pccs_url":"https://%s/sgx/certification/%s/","use_secure_cert":false,"pccs_api_version":"%s"}`, p.addr, v.api, v.version)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, lib, qeid, m.Seen[1].CPUSVN, m.Seen[1].PCESVN, pceid, m.PPID(), fmspc, "platform", f.RootCDP)
			cmd.Env = append(os.Environ(), "QCNL_CONF_PATH="+conf, "HOME="+t.TempDir(), "no_proxy=*")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			d := f.Documents
			tcb, tdx := d["sgx/tcb "+fmspc], d["tdx/tcb "+fmspc]
			if v.api == "v3" {
				tcb, tdx = d["v3/tcb "+fmspc], nil
			}
			join := func(parts ...[]byte) string { return string(slices.Concat(parts...)) }
			tcbm, _ := hex.DecodeString(m.Certs[1].TCBm())
			zero := []byte{0}
			want := map[string]string{
				"pckcert": join(tcbm, m.Certs[1].PEM, m.Issuers(), zero),
				"pckcrl":  join([]byte(v.digits(f.PCKCRL["platform"])), zero, m.Issuers(), zero),
				"sgx/tcb": join(tcb, zero, f.TCBChain, zero), "sgx/qe": join(d["sgx/qe"], zero, f.TCBChain, zero),
				"tdx/tcb": join(tdx, zero, f.TCBChain, zero), "tdx/qe": join(d["tdx/qe"], zero, f.TCBChain, zero),
				"sgx/qve":   join(d["sgx/qve"], zero, f.TCBChain, zero),
				"rootcacrl": v.digits(f.RootCRL) + "\x00", "policy": policy + "\x00",
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(lines) != len(want) {
				t.Errorf("%d lines", len(lines))
			}
			for _, line := range lines {
				name, rest, _ := strings.Cut(line, " ")
				status, digits, _ := strings.Cut(rest, " ")
				if v.api == "v3" && strings.HasPrefix(name, "tdx/") {
					if status != "b00f" { // SGX_QCNL_ERROR_STATUS_NO_CACHE_DATA
						t.Errorf("%s: status %s", name, status)
					}
					continue
				}
				if status != "0" || digits != hex.EncodeToString([]byte(want[name])) {
					t.Errorf("%s: status %s, %.200s, want %.200x", name, status, digits, want[name])
				}
			}
		})
	}
}
