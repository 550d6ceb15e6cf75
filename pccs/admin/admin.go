// Package admin is a client of what a PCCS has for its administrators: Intel's
// and this one's, which adds the status. Package exchange has the files.
//
//	c, err := admin.New(admin.Config{URL: "https://localhost:8081", Token: token})
//	list, err := c.Platforms(ctx, "reg")
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pccs/web"
)

// DefaultURL is where a PCCS is if nothing else is said.
const DefaultURL = "https://localhost:8081"

// Config says which service is asked.
type Config struct {
	// URL is the service, or as pccsadmin has it the address of any of its
	// interfaces, such as https://localhost:8081/sgx/certification/v4/refresh.
	// DefaultURL if it is empty.
	URL   string
	Token string // the administrator's
	// HTTP is the client to use. No redirection is ever followed: it would
	// take the token along.
	HTTP      *http.Client
	UserAgent string // "feidi" if it is empty
}

// Client asks a service. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string // before "sgx/certification/", with a slash at the end
	api  string // "v3" or "v4"
	http http.Client
}

// Most bytes of replies.
const (
	maxReply  = 256 << 20
	maxReason = 64 << 10
)

// New returns a client. It asks nobody yet.
func New(cfg Config) (*Client, error) {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "feidi"
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("pccs/admin: %.100q is no address of a PCCS, such as %s", cfg.URL, DefaultURL)
	}
	c := &Client{cfg: cfg, api: "v4"}
	before, after, found := strings.Cut(u.Path, "/sgx/certification/")
	if version, _, _ := strings.Cut(after, "/"); version == "v3" {
		c.api = version
	} else if found && version != "v4" && version != "" {
		return nil, fmt.Errorf("pccs/admin: %.100q: the interfaces are v3 and v4", cfg.URL)
	}
	u.Path = strings.TrimSuffix(before, "/") + "/"
	c.base = u.String()
	if cfg.HTTP != nil {
		c.http = *cfg.HTTP
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Platforms returns platforms: those of the registrations that wait ("reg" or ""),
// or of those that some certificates were not available for ("reg_na"), which no
// longer wait then; or with a list as "[00906ED50000,...]" those in the cache of
// these FMSPCs, with "[]" all.
func (c *Client) Platforms(ctx context.Context, source string) ([]store.Registration, error) {
	q := url.Values{}
	if source != "" {
		q.Set("source", source)
	}
	b, err := c.do(ctx, http.MethodGet, c.route("platforms", q), nil)
	if err != nil {
		return nil, err
	}
	return exchange.ParsePlatforms(bytes.NewReader(b))
}

// PutCollateral puts collateral.
func (c *Client) PutCollateral(ctx context.Context, p *pccs.Collateral) error {
	var b bytes.Buffer
	if err := exchange.WriteCollateral(&b, p); err != nil {
		return err
	}
	_, err := c.do(ctx, http.MethodPut, c.route("platformcollateral", nil), b.Bytes())
	return err
}

// PutPolicy puts an appraisal policy, and returns its ID.
func (c *Client) PutPolicy(ctx context.Context, p store.Policy) (string, error) {
	b, err := c.do(ctx, http.MethodPut, c.route("appraisalpolicy", nil), exchange.AppendPolicy(nil, &p))
	return strings.TrimSpace(string(b)), err
}

// Refresh has the service get its documents anew, or with certs the PCK
// certificates of the platforms of these FMSPCs, of all if there are none.
func (c *Client) Refresh(ctx context.Context, certs bool, fmspcs []string) error {
	q := url.Values{}
	if certs {
		q.Set("type", "certs")
		q.Set("fmspc", "")
		if len(fmspcs) > 0 {
			q.Set("fmspc", "["+strings.Join(fmspcs, ",")+"]")
		}
	}
	_, err := c.do(ctx, http.MethodPost, c.route("refresh", q), nil)
	return err
}

// Status returns the state of the service, if it is one of this project's.
func (c *Client) Status(ctx context.Context) (*pccs.Status, error) {
	b, err := c.do(ctx, http.MethodGet, c.base+strings.TrimPrefix(web.Prefix, "/")+"status.json", nil)
	if err != nil {
		return nil, err
	}
	s := &pccs.Status{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("pccs/admin: %s: its status is none: %w", c.base, err)
	}
	return s, nil
}

func (c *Client) route(name string, q url.Values) string {
	u := c.base + "sgx/certification/" + c.api + "/" + name
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	return u
}

// do asks, and returns the body of a reply that has the status 200.
func (c *Client) do(ctx context.Context, method, address string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("pccs/admin: %w", err)
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cfg.Token != "" {
		r.Header.Set("admin-token", c.cfg.Token)
		r.SetBasicAuth("admin", c.cfg.Token) // of the status page
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(address, resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	if len(b) > maxReply {
		return nil, errors.New("pccs/admin: the reply has more than 256 MiB")
	}
	return b, nil
}
