package config_test

import (
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
)

// Whatever stands in a file, what comes of it can be obeyed, or is refused in a
// line that names the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(intel127))
	f.Add([]byte(intel123))
	f.Add([]byte("mode = 'REQ'\nlisten = [':1']\n[database]\naddress = 'mysql://u:p@h/d?tls=true'\n[limits]\nbody = '1k'\ndrain = '1d'"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := config.Parse("dir/f", b)
		if err != nil {
			if !errors.Is(err, config.ErrInvalid) || !strings.HasPrefix(err.Error(), "dir/f") || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("%q", err)
			}
			return
		}
		ok := c.Mode == pccs.Lazy || c.Mode == pccs.Req || c.Mode == pccs.Offline
		for _, l := range c.Listen {
			_, _, err := net.SplitHostPort(l)
			ok = ok && err == nil
		}
		for _, d := range []time.Duration{c.HeaderTimeout, c.RequestTimeout, c.IdleTimeout, c.Drain, c.Timeout, c.RefreshAfter} {
			ok = ok && d > 0
		}
		for _, h := range []string{c.UserSHA512, c.AdminSHA512} {
			n, err := hex.DecodeString(h)
			ok = ok && err == nil && (len(n) == 64 || h == "")
		}
		_, err = url.Parse(c.Upstream)
		ok = ok && err == nil && c.Upstream != "" && c.MaxBody > 0 && c.MaxBody <= 1<<30 && c.MaxRequests > 0 && c.MaxConnections > 0 &&
			c.Attempts > 0 && c.MaxStale >= 0 && c.MaxExpired >= 0 && c.CacheTime >= 0 && (c.TLSCert == "") == (c.TLSKey == "")
		for _, n := range c.Notices {
			ok = ok && !strings.ContainsAny(n, "\n\r\x1b")
		}
		if !ok {
			t.Errorf("%+v", c)
		}
	})
}
