package pcs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Intel's services. The sandbox is for platforms that are not yet on sale;
// its certificates have another root.
const (
	IntelURL        = "https://api.trustedservices.intel.com"
	IntelSandboxURL = "https://sbx.api.trustedservices.intel.com"
)

// Update says how soon after a TCB recovery event its data are wanted.
type Update string

// Types of update. The empty one leaves it to the service, which takes
// Standard.
const (
	Standard Update = "standard" // twelve months after the event
	Early    Update = "early"    // as soon as they are there
)

// Config is how services are asked. The zero value asks Intel, four times at
// most, and keeps nothing.
type Config struct {
	// URL is the service for collateral: its address, or that with
	// "/sgx/certification/v4/" behind it, as the files of Intel's client have
	// it. If it is empty, IntelURL.
	URL string
	// PCKURLs are services for PCK certificates, asked one after the other.
	// If there are none, URL.
	PCKURLs []string
	// RootCRLURL is where the CRL of the root CA is. If it is empty: for
	// Intel the distribution point that the root certificate names, else
	// "rootcacrl" of the service.
	RootCRLURL string
	// APIVersion is 3 or 4. If it is 0, what the URL says, or 4.
	APIVersion int

	// Update and EvaluationDataNumber choose among the TCB infos and
	// identities that Intel has at a time; at most one of them is set.
	Update               Update
	EvaluationDataNumber uint32

	// SubscriptionKey is Intel's key for PCK certificates. It is sent to
	// Intel only.
	SubscriptionKey string
	UserAgent       string     // "feidi" if it is empty
	Params          url.Values // more parameters of requests for collateral
	PCKParams       url.Values // more parameters of requests for PCK certificates
	PCKHeader       http.Header

	// HTTP is the client to use. Where its CheckRedirect is nil, only
	// redirections within the same host are followed.
	HTTP *http.Client
	// RootCAs are the authorities to trust for TLS, such as a PCCS's own
	// certificate; nil are those of the system.
	RootCAs *x509.CertPool
	// InsecureTLS takes any certificate for TLS. Others may then read along
	// and hold back replies; what Intel signed they cannot change.
	InsecureTLS bool

	Attempts   int           // at most so many requests for a document; 4 if 0
	Timeout    time.Duration // of each of them; 30 s if 0
	FirstDelay time.Duration // before the second, then twice as long each time, less up to a half by chance; 500 ms if 0
	MaxDelay   time.Duration // also of a Retry-After that is obeyed; 30 s if 0

	// CacheDir is a directory for copies of documents, which other processes
	// may use at the same time. Without it nothing is kept.
	CacheDir  string
	CacheSize int64 // bytes; the oldest go first; 64 MiB if 0
	// MaxAge is how long a copy is good without asking again: 24 h if 0. No
	// copy is used past the document's own next update, and none past the
	// max-age of the service.
	MaxAge time.Duration
	// PCKMaxAge is the same for PCK certificates: 7 days if 0.
	PCKMaxAge time.Duration
	Stale     bool // where no service answers, a copy older than MaxAge may stand in
	Refresh   bool // ask even if there is a good copy
	Offline   bool // ask nobody: only the cache

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// check reports what contradicts itself, and fills in what was left out.
func (c *Config) check() error {
	switch {
	case c.APIVersion != 0 && c.APIVersion != 3 && c.APIVersion != 4:
		return fmt.Errorf("there is no version %d of the interface: 3 and 4 are known", c.APIVersion)
	case c.Update != "" && c.Update != Standard && c.Update != Early:
		return fmt.Errorf("update type %.40q: it is %q or %q", string(c.Update), Standard, Early)
	case c.Update != "" && c.EvaluationDataNumber != 0:
		return errors.New("an update type and a TCB evaluation data number exclude each other")
	case c.HTTP != nil && (c.RootCAs != nil || c.InsecureTLS):
		return errors.New("with a client of your own, set what to trust for TLS in its transport")
	case c.Offline && c.Refresh:
		return errors.New("to ask nobody (Offline) and to ask again (Refresh) exclude each other")
	case c.Offline && c.CacheDir == "":
		return errors.New("to ask nobody (Offline) takes a CacheDir")
	case c.Attempts < 0 || c.Timeout < 0 || c.FirstDelay < 0 || c.MaxDelay < 0 || c.CacheSize < 0 || c.MaxAge < 0 || c.PCKMaxAge < 0:
		return errors.New("a number, duration or size is negative")
	}
	defaults(&c.URL, IntelURL)
	defaults(&c.UserAgent, "feidi")
	defaults(&c.Attempts, 4)
	defaults(&c.Timeout, 30*time.Second)
	defaults(&c.FirstDelay, 500*time.Millisecond)
	defaults(&c.MaxDelay, 30*time.Second)
	defaults(&c.CacheSize, 64<<20)
	defaults(&c.MaxAge, 24*time.Hour)
	defaults(&c.PCKMaxAge, 7*24*time.Hour)
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

func defaults[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// maxHeader bounds the header of a reply, which has a chain in it.
const maxHeader = 256 << 10

// client is the HTTP client that the configuration asks for.
func (c *Config) client() *http.Client {
	h := &http.Client{}
	if c.HTTP != nil {
		*h = *c.HTTP
	} else {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs, InsecureSkipVerify: c.InsecureTLS}
		t.MaxResponseHeaderBytes = maxHeader
		t.MaxIdleConnsPerHost = 4 // the documents of one collateral
		h.Transport = t
	}
	if h.CheckRedirect == nil {
		h.CheckRedirect = sameHost
	}
	return h
}

// sameHost lets no reply send the client to another host, for which nobody
// asked and which may be one that only this machine can reach.
func sameHost(req *http.Request, via []*http.Request) error {
	from := via[0].URL
	if len(via) > 3 || req.URL.Host != from.Host || req.URL.Scheme != from.Scheme {
		return &redirectError{to: redact(req.URL)}
	}
	return nil
}

type redirectError struct{ to string }

func (e *redirectError) Error() string { return "it redirects to " + e.to }
