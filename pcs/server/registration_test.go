package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/world"
)

const (
	pathPlatform = "/sgx/registration/v1/platform"
	pathPackage  = "/sgx/registration/v1/package"
	pathCerts    = "/sgx/certification/v4/pckcerts"
	pathCert     = "/sgx/certification/v4/pckcert"
)

func post(t testing.TB, s *Server, path, media string, body []byte) reply {
	t.Helper()
	return ask(t, s, http.MethodPost, path, body, "Content-Type", media)
}

// A platform of several packages: no certificates before registration, then the
// Platform CA's; the same again is the same; a package is added.
func TestRegistration(t *testing.T) {
	f, err := newFixture(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := New(f.World, Options{})
	c := client(t, s, pcs.Config{})
	manifest := f.multi.Manifest()
	pckRequest := func(ppid [16]byte) pcs.PCKRequest {
		return pcs.PCKRequest{EncryptedPPID: f.encrypt(t, ppid), CPUSVN: f.multi.CPUSVN, PCESVN: 0xff}
	}
	// The PPID is no secret to the test: it derives from the platform's key.
	named := f.ppidOf(f.multi)
	if _, err := c.PCKCert(t.Context(), pckRequest(named)); !errors.Is(err, pcs.ErrNotFound) {
		t.Errorf("before registration: %v", err)
	}
	ppid, err := c.RegisterPlatform(t.Context(), manifest)
	if err != nil || ppid != named {
		t.Fatalf("PPID %x, %v; want %x", ppid, err, named)
	}
	got := post(t, s, pathPlatform, typeBinary, manifest)
	if want := strings.ToUpper(hex.EncodeToString(ppid[:])); got.status != 201 || string(got.body) != want || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("again: %d, %q", got.status, got.body)
	}
	cert, err := c.PCKCert(t.Context(), pckRequest(ppid))
	if err != nil || cert.CA != pcs.Platform {
		t.Fatal(cert, err)
	}
	issued(t, f, cert.Chain)
	byPPID, err := c.PCKCerts(t.Context(), pcs.PCKCertsRequest{EncryptedPPID: f.encrypt(t, ppid)})
	if err != nil {
		t.Fatal(err)
	}
	byManifest, err := c.PCKCerts(t.Context(), pcs.PCKCertsRequest{Manifest: manifest})
	if err != nil || byManifest.CA != pcs.Platform || fmt.Sprint(byManifest.Levels) != fmt.Sprint(byPPID.Levels) {
		t.Errorf("by manifest: %v", err)
	}
	one := post(t, s, pathCert, typeJSON, fmt.Appendf(nil, `{"platformManifest":"%X","pceid":"0000","cpusvn":"%X","pcesvn":"FF00"}`, manifest, f.multi.CPUSVN))
	if one.status != 200 || one.header.Get("SGX-PCK-Certificate-CA-Type") != "platform" || !bytes.HasPrefix(cert.Chain, one.body) {
		t.Errorf("%d\n%s", one.status, one.body)
	}

	request, err := f.NewPackage("multi")
	if err != nil {
		t.Fatal(err)
	}
	certs, err := c.AddPackage(t.Context(), request)
	if err != nil || len(certs) != 1 || len(certs[0]) != world.MembershipSize {
		t.Fatal(certs, err)
	}
	raw := post(t, s, pathPackage, typeBinary, request)
	array := append(bytes.Clone(certs[0]), make([]byte, 7*world.MembershipSize)...)
	if raw.status != 200 || raw.header.Get("Certificate-Count") != "1" || raw.header.Get("Content-Type") != typeBinary || !bytes.Equal(raw.body, array) {
		t.Errorf("again: %d, %q, %x", raw.status, raw.header, raw.body)
	}
}

// What is refused, and how Intel's service calls that.
func TestRegistrationRefused(t *testing.T) {
	f := theWorld(t)
	elsewhere, err := newFixture(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := New(f.World, Options{})
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	manifest := f.multi.Manifest()
	if _, err := elsewhere.Register(elsewhere.multi.Manifest()); err != nil {
		t.Fatal(err)
	}
	foreign, err := elsewhere.NewPackage("multi")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		body []byte
		code string
	}{
		"nothing":                {pathPlatform, nil, "InvalidRequestSyntax"},
		"one byte":               {pathPlatform, []byte{0}, "InvalidPlatformManifest"},
		"cut off":                {pathPlatform, manifest[:len(manifest)-1], "InvalidPlatformManifest"},
		"too long":               {pathPlatform, append(bytes.Clone(manifest), 0), "InvalidPlatformManifest"},
		"zeros":                  {pathPlatform, make([]byte, 20<<10), "InvalidPlatformManifest"},
		"forged":                 {pathPlatform, flip(manifest, len(manifest)-1), "InvalidPlatformManifest"},
		"hexadecimal":            {pathPlatform, []byte(hex.EncodeToString(manifest)), "InvalidPlatformManifest"},
		"of another world":       {pathPlatform, elsewhere.multi.Manifest(), "PackageNotFound"},
		"no request":             {pathPackage, nil, "InvalidRequestSyntax"},
		"a manifest to add":      {pathPackage, manifest, "InvalidAddRequest"},
		"a request to register":  {pathPlatform, foreign, "InvalidPlatformManifest"},
		"add to another world's": {pathPackage, foreign, "PackageNotFound"},
		"forged request":         {pathPackage, flip(foreign, 8), "InvalidAddRequest"},
	} {
		got := post(t, s, c.path, typeBinary, c.body)
		if got.status != 400 || got.header.Get("Error-Code") != c.code {
			t.Errorf("%s: %d, %s: %s; want %s", name, got.status, got.header.Get("Error-Code"), got.header.Get("Error-Message"), c.code)
		}
	}
	text := hex.EncodeToString(manifest)
	for name, c := range map[string]struct{ body, code string }{
		"nothing":         {"", "InvalidRequestSyntax"},
		"no object":       {"[]", "InvalidRequestSyntax"},
		"no manifest":     {`{"pceid":"0000"}`, "InvalidRequestSyntax"},
		"no pceid":        {`{"platformManifest":"` + text + `"}`, "InvalidRequestSyntax"},
		"pceid":           {`{"platformManifest":"` + text + `","pceid":0}`, "InvalidRequestSyntax"},
		"empty":           {`{"platformManifest":"","pceid":"0000"}`, "InvalidRequestSyntax"},
		"odd":             {`{"platformManifest":"` + text[1:] + `","pceid":"0000"}`, "InvalidRequestSyntax"},
		"no hex":          {`{"platformManifest":"x` + text[1:] + `","pceid":"0000"}`, "InvalidRequestSyntax"},
		"twice":           {`{"pceid":"0000","platformManifest":"` + text + `","pceid":"0000"}`, "InvalidRequestSyntax"},
		"more":            {`{"platformManifest":"` + text + `","pceid":"0000"}{}`, "InvalidRequestSyntax"},
		"deep":            {`{"x":` + strings.Repeat("[", 10000) + `}`, "InvalidRequestSyntax"},
		"forged":          {`{"platformManifest":"` + text[2:] + `00","pceid":"0000"}`, "InvalidPlatformManifest"},
		"another world's": {`{"platformManifest":"` + hex.EncodeToString(elsewhere.multi.Manifest()) + `","pceid":"0000"}`, "PackageNotFound"},
	} {
		got := post(t, s, pathCerts, typeJSON, []byte(c.body))
		if got.status != 400 || got.header.Get("Error-Code") != c.code {
			t.Errorf("%s: %d, %s: %s; want %s", name, got.status, got.header.Get("Error-Code"), got.header.Get("Error-Message"), c.code)
		}
	}
}

// Those errors of the factory that no request of these tests brings about.
func TestRegistrationCodes(t *testing.T) {
	for kind, code := range map[error]string{
		world.ErrPackageElsewhere: "IncompatiblePackage", world.ErrIncompatible: "IncompatiblePackage", world.ErrReplay: "InvalidX",
		world.ErrTooManyPackages: "InvalidX", world.ErrNotRegistered: "PlatformNotFound",
	} {
		f := refuse(registrationError(fmt.Errorf("package 00: %w\nand more é", kind), "InvalidX"))
		if f.status != 400 || f.code != code || !strings.HasPrefix(f.message, "package 00: ") || strings.ContainsAny(f.message, "\né") {
			t.Errorf("%v: %+v", kind, f)
		}
	}
	if f := refuse(registrationError(errors.New("disk /secret/path is full"), "InvalidX")); f.status != 500 || strings.Contains(f.message, "secret") {
		t.Errorf("%+v", f)
	}
}

// Media types, methods, sizes.
func TestForm(t *testing.T) {
	s := New(theWorld(t).World, Options{})
	for media, want := range map[string]int{
		"": 415, "text/plain": 415, "application/json": 415, "application/octet-stream": 400, "APPLICATION/Octet-Stream; x=y": 400, "application/octet-stream;": 400, "/": 415,
	} {
		if got := post(t, s, pathPlatform, media, []byte{1}); got.status != want {
			t.Errorf("platform of %q: %d, want %d", media, got.status, want)
		}
	}
	for media, want := range map[string]int{"application/octet-stream": 415, "application/json; charset=utf-8": 400} {
		if got := post(t, s, pathCerts, media, []byte("1")); got.status != want {
			t.Errorf("pckcerts of %q: %d, want %d", media, got.status, want)
		}
	}
	for path, allow := range map[string]string{
		pathPlatform: "POST", pathPackage: "POST", pathCerts: "GET, HEAD, POST", sgx + "tcb": "GET, HEAD", "/IntelSGXRootCA.der": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"} {
			got := ask(t, s, method, path, nil)
			if may := strings.Contains(allow, method); (got.status == 405) == may || !may && got.header.Get("Allow") != allow {
				t.Errorf("%s %s: %d, allowed is %q", method, path, got.status, got.header.Get("Allow"))
			}
		}
	}
	for _, size := range []int{maxBinary, maxBinary + 1, 8 << 20} {
		want := map[bool]int{true: 400, false: 413}[size <= maxBinary]
		if got := post(t, s, pathPlatform, typeBinary, make([]byte, size)); got.status != want {
			t.Errorf("%d bytes: %d, want %d", size, got.status, want)
		}
	}
	largest, err := json.Marshal(map[string]string{"platformManifest": strings.Repeat("0", 2*maxBinary), "pceid": "0000", "cpusvn": strings.Repeat("0", 32), "pcesvn": "0000"})
	if err != nil {
		t.Fatal(err)
	}
	if got := post(t, s, pathCert, typeJSON, largest); got.status != 400 || got.header.Get("Error-Code") != "InvalidPlatformManifest" {
		t.Errorf("the largest manifest: %d, %s", got.status, got.header.Get("Error-Code"))
	}
	if got := post(t, s, pathCerts, typeJSON, make([]byte, maxJSON+1)); got.status != 413 {
		t.Errorf("a giant of JSON: %d", got.status)
	}
}

// With keys, PCK certificates and packages take one; nothing else does.
func TestKeys(t *testing.T) {
	f := theWorld(t)
	long := strings.Repeat("0123456789abcdef", 2)
	s := New(f.World, Options{Keys: []string{long, "k2"}})
	cert := pathCert + "?" + f.pckQuery(t).Encode()
	for key, want := range map[string]int{"": 401, "k": 401, "k22": 401, "K2": 401, long[1:]: 401, "k2": 200, long: 200} {
		if got := ask(t, s, "GET", cert, nil, "Ocp-Apim-Subscription-Key", key); got.status != want || want == 401 && got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("key %q: %d, want %d", key, got.status, want)
		}
	}
	for path, want := range map[string]int{pathPlatform: 400, pathPackage: 401, pathCerts: 401, pathCert: 401} {
		if got := post(t, s, path, typeBinary, []byte{1}); got.status != want {
			t.Errorf("POST %s: %d, want %d", path, got.status, want)
		}
	}
	for path, want := range map[string]int{"pckcerts": 401, "fmspcs": 200, "pckcrl?ca=platform": 200, "qe/identity": 200, "tcbevaluationdatanumbers": 200, "tcb": 400} {
		if got := get(t, s, sgx+path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := get(t, New(f.World, Options{Keys: []string{""}}), cert); got.status != 401 {
		t.Errorf("no key, and an empty one that is the service's: %d", got.status)
	}
}
