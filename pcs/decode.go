package pcs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// maxCRLReply is the size of the largest CRL in hexadecimal, with an end of line.
const maxCRLReply = 2*dcap.MaxCRLSize + 2

var errPage = errors.New("a page of HTML: is this the address of a PCS or PCCS, or does a proxy want a login?")

func isPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body[:min(len(body), 256)], " \t\r\n\ufeff"), []byte("<"))
}

// readCRL reads a CRL as a service sends it.
func readCRL(body []byte) ([]byte, time.Time, error) {
	der, err := decodeCRL(body)
	if err != nil {
		return nil, time.Time{}, err
	}
	crl, err := dcap.ParseCRL(der)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("no CRL of Intel's: %s", line(err.Error()))
	}
	return der, crl.NextUpdate, nil
}

// decodeCRL takes a CRL out of DER, PEM or hexadecimal text: Intel answers
// with one of the first two, as it is asked, and a PCCS often with the last.
func decodeCRL(body []byte) ([]byte, error) {
	if isDER(body) {
		return body, nil
	}
	text := bytes.TrimSpace(body)
	if bytes.HasPrefix(text, []byte("-----BEGIN X509 CRL-----")) {
		block, rest := pem.Decode(text)
		if block == nil || block.Type != "X509 CRL" || len(rest) > 0 {
			return nil, errors.New("the CRL is not PEM")
		}
		return block.Bytes, nil
	}
	if isPage(body) {
		return nil, errPage
	}
	der := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(der, text); err != nil || !isDER(der) {
		return nil, errors.New("the CRL is neither DER, PEM nor hexadecimal")
	}
	return der, nil
}

// isDER reports whether b begins with a SEQUENCE, which no text of
// hexadecimal does.
func isDER(b []byte) bool { return len(b) > 0 && b[0] == 0x30 }

// head is what is looked at in a signed document.
type head struct {
	ID         string    `json:"id"`
	FMSPC      string    `json:"fmspc"`
	NextUpdate time.Time `json:"nextUpdate"`
	Number     uint32    `json:"tcbEvaluationDataNumber"`
}

// readHead looks at a signed document whose content is under the name key.
func readHead(body []byte, key string) (head, error) {
	if isPage(body) {
		return head{}, errPage
	}
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(body, &outer); err != nil {
		return head{}, fmt.Errorf("no JSON object: %s", line(err.Error()))
	}
	if outer[key] == nil || outer["signature"] == nil {
		return head{}, fmt.Errorf("no %s with a signature", key)
	}
	var h head
	if err := json.Unmarshal(outer[key], &h); err != nil {
		return head{}, fmt.Errorf("%s: %s", key, line(err.Error()))
	}
	if h.NextUpdate.IsZero() {
		return head{}, fmt.Errorf("%s has no nextUpdate", key)
	}
	return h, nil
}

// readTCBInfo reads the TCB info of a platform.
func readTCBInfo(tee dcap.TEEType, fmspc [6]byte) func([]byte) ([]byte, time.Time, error) {
	return func(body []byte) ([]byte, time.Time, error) {
		h, err := readHead(body, "tcbInfo")
		if err != nil {
			return nil, time.Time{}, err
		}
		id := h.ID
		if id == "" { // version 2
			id = dcap.TCBInfoSGX
		}
		if want := tee.String(); id != want {
			return nil, time.Time{}, fmt.Errorf("a TCB info for %s in place of %s", line(id), want)
		}
		if want := hex.EncodeToString(fmspc[:]); !strings.EqualFold(h.FMSPC, want) {
			return nil, time.Time{}, fmt.Errorf("the TCB info of FMSPC %s in place of %s", line(h.FMSPC), strings.ToUpper(want))
		}
		return body, h.NextUpdate, nil
	}
}

// readIdentity reads an enclave identity.
func readIdentity(id string) func([]byte) ([]byte, time.Time, error) {
	return func(body []byte) ([]byte, time.Time, error) {
		h, err := readHead(body, "enclaveIdentity")
		if err != nil {
			return nil, time.Time{}, err
		}
		if h.ID != id {
			return nil, time.Time{}, fmt.Errorf("the identity of enclave %s in place of %s", line(h.ID), id)
		}
		return body, h.NextUpdate, nil
	}
}
