package collateral

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Resolve returns the item by which a document is kept and fetched: a valid one
// in canonical form, and a CRL by its address as the root CRL or PCK CRL that the
// address is of. So nobody is ever sent to an address that a client gave, and the
// routes of one list agree.
//
// An error wraps ErrURI if the address is none that certificates name, and
// ErrUntrusted if it is Intel's but of another environment than that of the
// trusted roots; else there is no such item.
func (c *Checker) Resolve(item Item) (Item, error) {
	item = item.Canonical()
	if err := item.Valid(); err != nil {
		return Item{}, err
	}
	if item.Kind != CRL {
		return item, nil
	}
	for _, root := range c.roots {
		if found, ok := listAt(item.URI, root); ok {
			return found, nil
		}
	}
	if intelAddress.MatchString(item.URI) {
		return Item{}, &Error{Document: item.String(), Kind: ErrUntrusted, Err: fmt.Errorf("the root CRL of the trusted environment is at %s", strings.Join(c.roots, ", "))}
	}
	return Item{}, fmt.Errorf("pccs/collateral: %.100q: %w that the certificates of this environment name: its root CRL is at %s", item.URI, ErrURI, strings.Join(c.roots, ", "))
}

// intelAddress are the addresses of CRLs that certificates of some environment of
// Intel's name.
var intelAddress = regexp.MustCompile(`^https://(?:` +
	`(?:[0-9A-Za-z-]*certificates\.trustedservices\.intel\.com|certprx\.adsdcsp\.com)/IntelSGXRootCA\.[a-z]+|` +
	`(?:[0-9A-Za-z-]+\.)?api\.trustedservices\.intel\.com/sgx/certification/v[1-9][0-9]*/pckcrl\?[0-9A-Za-z=&]+|` +
	`[0-9A-Za-z-]+\.az\.sgx(?:prod|np)\.adsdcsp\.com/sgx/certification/v[1-9][0-9]*/pckcrl\?[0-9A-Za-z=&]+)$`)

// pckCRLPath is where a service has the CRLs of the authorities below its root.
var pckCRLPath = regexp.MustCompile(`^/sgx/certification/v[1-9][0-9]{0,2}/pckcrl$`)

// listAt returns which list is at an address, in the environment whose root CRL
// is at another: that list itself, in any form that its file name ends in, or
// that of one of the authorities, at the API beside it.
func listAt(address, rootCRL string) (Item, bool) {
	root, err := url.Parse(rootCRL)
	if err != nil {
		return Item{}, false
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Fragment != "" || u.Opaque != "" || u.Scheme != root.Scheme {
		return Item{}, false
	}
	if u.Host == root.Host && u.RawQuery == "" && stem(u.Path) == stem(root.Path) {
		return Item{Kind: RootCRL, API: 4}, true
	}
	// Intel's have hosts of their own, as certificates.X and api.X, and
	// sbx-certificates.X and sbx.api.X.
	host, folder := root.Host, path.Dir(root.Path)
	if before, ok := strings.CutSuffix(host, "certificates.trustedservices.intel.com"); ok {
		host = strings.TrimSuffix(before, "-")
		if host != "" {
			host += "."
		}
		host += "api.trustedservices.intel.com"
	}
	below, ok := strings.CutPrefix(u.Path, strings.TrimSuffix(folder, "/"))
	if !ok || u.Host != host || !pckCRLPath.MatchString(below) {
		return Item{}, false
	}
	found := Item{Kind: PCKCRL, API: 4, CA: u.Query().Get("ca")}
	return found, found.Valid() == nil
}

// stem is a path without the ending of its file name.
func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
