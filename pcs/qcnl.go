package pcs

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// MaxQCNLSize is the size of the largest configuration file that is read, in
// bytes.
const MaxQCNLSize = 64 << 10

// QCNLFile is where Intel's client, the QCNL, has its configuration, unless
// the environment variable QCNL_CONF_PATH names another file.
const QCNLFile = "/etc/sgx_default_qcnl.conf"

// QCNL is the configuration of Intel's client (Quote Provider Library, QCNL):
// JSON with comments, or lines KEY=VALUE as before DCAP 1.10. Keys that are
// not there are their zero value, but for UseSecureCert.
type QCNL struct {
	PCCSURL           string // pccs_url
	UseSecureCert     bool   // use_secure_cert; true if it is not there
	CollateralService string // collateral_service; pccs_url if it is empty
	TCBUpdateType     Update // tcb_update_type
	PCCSAPIVersion    string // pccs_api_version: "3.0" or "3.1", whether CRLs come as DER; not looked at
	RetryTimes        int    // retry_times, besides the first attempt
	RetryDelay        int    // retry_delay, seconds; 0: 1, 2, 4, ...
	LocalPCKURL       string // local_pck_url, asked for PCK certificates before pccs_url

	PCKCacheExpireHours              int  // pck_cache_expire_hours
	VerifyCollateralCacheExpireHours int  // verify_collateral_cache_expire_hours
	LocalCacheOnly                   bool // local_cache_only

	Headers map[string]string // custom_request_options.get_cert.headers
	Params  map[string]string // custom_request_options.get_cert.params

	Unknown []string // keys that neither Intel's client nor this package knows
}

// maxHours is the longest time that Intel's client keeps copies: 90 days.
const maxHours = 2160

func (q *QCNL) check() error {
	if q.PCCSURL == "" && q.CollateralService == "" {
		return errors.New("neither pccs_url nor collateral_service is there")
	}
	for _, u := range []struct{ key, url string }{
		{"pccs_url", q.PCCSURL}, {"collateral_service", q.CollateralService}, {"local_pck_url", q.LocalPCKURL},
	} {
		if u.url == "" {
			continue
		}
		if _, err := parseService(u.url, 0); err != nil {
			return fmt.Errorf("key %q: %w", u.key, err)
		}
	}
	for _, n := range []struct {
		key         string
		value, most int
	}{
		{"retry_times", q.RetryTimes, 1000}, {"retry_delay", q.RetryDelay, 24 * 3600},
		{"pck_cache_expire_hours", q.PCKCacheExpireHours, maxHours},
		{"verify_collateral_cache_expire_hours", q.VerifyCollateralCacheExpireHours, maxHours},
	} {
		if n.value < 0 || n.value > n.most {
			return fmt.Errorf("key %q: %d is not between 0 and %d", n.key, n.value, n.most)
		}
	}
	if u := q.TCBUpdateType; u != "" && u != Standard && u != Early {
		return fmt.Errorf("key %q: %q is neither %q nor %q", "tcb_update_type", line(string(u)), Standard, Early)
	}
	return nil
}

// Config is what the file asks for. Where its services are not said, or how
// often one is asked, it is Intel's client's default and not that of Config.
func (q *QCNL) Config() Config {
	c := Config{
		URL: q.CollateralService, Update: q.TCBUpdateType, InsecureTLS: !q.UseSecureCert,
		Attempts: 1 + q.RetryTimes, FirstDelay: time.Second, Offline: q.LocalCacheOnly,
		MaxAge:    time.Duration(q.VerifyCollateralCacheExpireHours) * time.Hour,
		PCKMaxAge: time.Duration(q.PCKCacheExpireHours) * time.Hour,
	}
	if c.URL == "" {
		c.URL = q.PCCSURL
	}
	for _, u := range []string{q.LocalPCKURL, q.PCCSURL} {
		if u != "" {
			c.PCKURLs = append(c.PCKURLs, u)
		}
	}
	if q.RetryDelay > 0 {
		c.FirstDelay = time.Duration(q.RetryDelay) * time.Second
		c.MaxDelay = c.FirstDelay
	}
	for name, value := range q.Headers {
		if c.PCKHeader == nil {
			c.PCKHeader = http.Header{}
		}
		c.PCKHeader.Set(name, value)
	}
	for name, value := range q.Params {
		if c.PCKParams == nil {
			c.PCKParams = url.Values{}
		}
		c.PCKParams.Set(name, value)
	}
	return c
}
