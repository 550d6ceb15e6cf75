package pcs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// service is one of Intel's or a PCCS.
type service struct {
	prefix  string // URL, without a slash at its end
	version int    // of the interface
	intel   bool   // it is Intel's
	sandbox bool   // it is Intel's for platforms that are not yet on sale
}

// certification is what the address of a service may have at its end.
var certification = regexp.MustCompile(`^(.*)/(?:sgx|tdx)/certification/v(\d{1,3})$`)

// parseService reads the address of a service. version is that which the
// caller wants, or 0.
func parseService(address string, version int) (service, error) {
	u, err := parseURL(address)
	if err != nil {
		return service{}, err
	}
	path := strings.TrimRight(u.Path, "/")
	if m := certification.FindStringSubmatch(path); m != nil {
		path = m[1]
		said := 0
		switch m[2] {
		case "3":
			said = 3
		case "4":
			said = 4
		default:
			return service{}, fmt.Errorf("%s: version %s of the interface: 3 and 4 are known", redact(u), m[2])
		}
		if version != 0 && version != said {
			return service{}, fmt.Errorf("%s: it is version %d of the interface, and version %d is asked for", redact(u), said, version)
		}
		version = said
	}
	if version == 0 {
		version = 4
	}
	u.Path = path
	s := service{prefix: u.String(), version: version}
	switch u.Hostname() {
	case "api.trustedservices.intel.com":
		s.intel = true
	case "sbx.api.trustedservices.intel.com":
		s.intel, s.sandbox = true, true
	}
	return s, nil
}

func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > 2048:
		// The error would show the address, and a password in it.
		return nil, fmt.Errorf("an address is no URL such as %s", IntelURL)
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, fmt.Errorf("%.200q is no URL such as %s", u.Redacted(), IntelURL)
	case u.RawQuery != "" || u.Fragment != "" || u.RawFragment != "":
		return nil, fmt.Errorf("%s: a service's address has no parameters", redact(u))
	}
	return u, nil
}

// url is the address of a document.
func (s service) url(tee dcap.TEEType, path string, query url.Values) string {
	kind := "sgx"
	if tee == dcap.TEETDX {
		kind = "tdx"
	}
	u := fmt.Sprintf("%s/%s/certification/v%d/%s", s.prefix, kind, s.version, path)
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	return u
}

// rootCRL is where the service's world has the CRL of its root CA.
func (s service) rootCRL() string {
	switch {
	case s.sandbox:
		return "https://sbx-certificates.trustedservices.intel.com/IntelSGXRootCA.der"
	case s.intel:
		return "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
	}
	return s.url(dcap.TEESGX, "rootcacrl", nil)
}

// public are the parameters that identify neither a user nor a platform.
var public = map[string]bool{
	"ca": true, "cpusvn": true, "encoding": true, "fmspc": true, "pceid": true, "pcesvn": true, "platform": true,
	"tcbEvaluationDataNumber": true, "update": true, "uri": true,
}

// redact is a URL without what identifies a user or a platform, for messages.
func redact(u *url.URL) string {
	return substitute(u, func(string) string { return "..." })
}

// cacheName is a URL by which a copy is found. What identifies a platform or
// a user stands in it as a hash.
func cacheName(u *url.URL) string {
	return substitute(u, func(secret string) string {
		sum := sha256.Sum256([]byte(secret))
		return hex.EncodeToString(sum[:])
	})
}

func substitute(u *url.URL, hide func(string) string) string {
	v := *u
	if v.User != nil {
		v.User = url.User(hide(v.User.String()))
	}
	query := v.Query()
	for name, values := range query {
		if !public[name] {
			query.Set(name, hide(strings.Join(values, "&")))
			v.RawQuery = query.Encode()
		}
	}
	return v.String()
}
