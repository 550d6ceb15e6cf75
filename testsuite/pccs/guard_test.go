package pccs

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestGuard asks for what takes a token without one, in every spelling that a
// router, a proxy or a file system might take for the path.
func TestGuard(t *testing.T) {
	f := fleet.New()
	p := ours(t, f, pccs.Offline, nil)
	p.fill(t, f)
	other := fleet.In(f.PKI)
	body := other.Body(4)
	for _, guarded := range []struct{ method, path string }{
		{"GET", "platforms"}, {"HEAD", "platforms"}, {"POST", "platforms"}, {"PUT", "platformcollateral"},
		{"POST", "refresh"}, {"GET", "refresh"}, {"PUT", "appraisalpolicy"},
	} {
		plain := "/sgx/certification/v4/" + guarded.path
		for _, target := range spellings(plain) {
			r := request{method: guarded.method, target: target + "?source=[]"}
			if guarded.method == "PUT" {
				r.header, r.body = []string{"Content-Type: application/json"}, body
			}
			got := p.do(t, r)
			if !slices.Contains([]int{http.StatusUnauthorized, http.StatusNotFound, http.StatusBadRequest}, got.status) ||
				target == plain && got.status != http.StatusUnauthorized {
				t.Errorf("%s %s: %d %.100q", r.method, r.target, got.status, got.body)
			}
		}
	}
	// None of it had an effect.
	admin := "admin-token: " + p.admin
	p.check(t, get("v4/platforms?source=["+other.Multi.FMSPC()+"]", admin), list())
	p.check(t, send("PUT", "v4/platformcollateral", string(body), admin), done()) // it would have
	p.check(t, get("v4/platforms?source=["+other.Multi.FMSPC()+"]", admin), list(cached(other.Multi, other.Multi.Seen...)...))
}

// spellings are ways to write a path.
func spellings(path string) []string {
	list := []string{path, path + "/", strings.ToUpper(path), path + "//", path + "/.", path + "/x/..", path + ";a=b", path + "%00", path + "%2f", path + "%20", path + ".", path + `\`}
	for i, c := range path {
		if c == '/' {
			list = append(list, path[:i]+"/"+path[i:], path[:i]+"/."+path[i:], path[:i]+"/x/.."+path[i:], path[:i]+"%2f"+path[i+1:], path[:i]+`\`+path[i+1:])
		}
	}
	last := strings.LastIndexByte(path, '/') + 1
	return append(list, path[:last]+"%"+hexOf(path[last])+path[last+1:], "https://example.com"+path, "http://example.com/"+path)
}

func hexOf(b byte) string { return string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]) }
