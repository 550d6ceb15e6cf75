package pcs

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// KnownPlatform is an FMSPC that Intel has collateral for.
type KnownPlatform struct {
	FMSPC [6]byte
	Kind  string // "client", "E3" or "E5"
}

// FMSPCs gets the list of all platforms that Intel has collateral for. A PCCS
// has none. It is for people to look at, as it is not signed.
func (c *Client) FMSPCs(ctx context.Context) ([]KnownPlatform, Source, error) {
	d, err := c.FMSPCList(ctx, "all")
	if err != nil {
		return nil, Source{}, err
	}
	list, err := ParseFMSPCs(d.Body)
	return list, d.Source, err
}

// FMSPCList gets the list of platforms of a kind, "client", "E3" or "E5", or of
// "all", as it is served: JSON for ParseFMSPCs.
func (c *Client) FMSPCList(ctx context.Context, kind string) (*Document, error) {
	return c.get(ctx, &request{
		what: "list of FMSPCs", service: c.service, url: c.service.url(dcap.TEESGX, "fmspcs", url.Values{"platform": {kind}}),
		most: dcap.MaxJSONSize, maxAge: c.cfg.MaxAge,
		read: func(body []byte) ([]byte, time.Time, error) {
			_, err := ParseFMSPCs(body)
			return body, time.Time{}, err
		},
	})
}

// ParseFMSPCs reads a list of FMSPCs as it is served.
func ParseFMSPCs(body []byte) ([]KnownPlatform, error) {
	if isPage(body) {
		return nil, errPage
	}
	var rows []struct{ FMSPC, Platform string }
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("no JSON array of FMSPCs: %s", line(err.Error()))
	}
	if rows == nil {
		return nil, errors.New("no JSON array of FMSPCs: null")
	}
	list := make([]KnownPlatform, len(rows))
	for i, r := range rows {
		b, err := hex.DecodeString(r.FMSPC)
		if err != nil || len(b) != 6 {
			return nil, fmt.Errorf("%q is no FMSPC", line(r.FMSPC))
		}
		copy(list[i].FMSPC[:], b)
		list[i].Kind = line(r.Platform)
	}
	return list, nil
}

// EvaluationData is one state of Intel's TCB data.
type EvaluationData struct {
	Number        uint32
	RecoveryEvent time.Time // when what it answers became public
	TCBDate       time.Time // platforms that are up to date have all that was released until then
}

// EvaluationDataNumbers gets the states of TCB data that Intel serves at
// present for a TEE, the newest first, and the signed document that lists
// them. A PCCS has none.
func (c *Client) EvaluationDataNumbers(ctx context.Context, tee dcap.TEEType) ([]EvaluationData, *Document, error) {
	what := fmt.Sprintf("TCB evaluation data numbers (%v)", tee)
	if err := c.serves(tee, what); err != nil {
		return nil, nil, err
	}
	d, err := c.get(ctx, &request{
		what: what, service: c.service, url: c.service.url(tee, "tcbevaluationdatanumbers", nil),
		chain: chainNumbers, most: dcap.MaxJSONSize, maxAge: c.cfg.MaxAge,
		read: func(body []byte) ([]byte, time.Time, error) {
			h, err := readHead(body, "tcbEvaluationDataNumbers")
			if err == nil {
				_, err = readNumbers(body)
			}
			return body, h.NextUpdate, err
		},
	})
	if err != nil {
		return nil, nil, err
	}
	list, err := readNumbers(d.Body)
	return list, d, err
}

func readNumbers(body []byte) ([]EvaluationData, error) {
	type row struct {
		Number        uint32    `json:"tcbEvaluationDataNumber"`
		RecoveryEvent time.Time `json:"tcbRecoveryEventDate"`
		TCBDate       time.Time `json:"tcbDate"`
	}
	var doc struct {
		Content struct {
			Rows []row `json:"tcbEvalNumbers"`
			// So the manual has it in its example.
			Manual []row `json:"tcbNumbers"`
		} `json:"tcbEvaluationDataNumbers"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("no list of numbers: %s", line(err.Error()))
	}
	rows := append(doc.Content.Rows, doc.Content.Manual...)
	if len(rows) == 0 {
		return nil, errors.New("the list of numbers is empty")
	}
	list := make([]EvaluationData, len(rows))
	for i, r := range rows {
		list[i] = EvaluationData(r)
	}
	return list, nil
}
