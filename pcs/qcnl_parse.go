package pcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseQCNL reads such a file. Values must be of the type that Intel's client
// wants, and each key is there at most once.
func ParseQCNL(b []byte) (*QCNL, error) {
	if len(b) > MaxQCNLSize {
		return nil, fmt.Errorf("QCNL configuration: more than %d bytes", MaxQCNLSize)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	q := &QCNL{UseSecureCert: true}
	err := error(nil)
	if plain, comment := withoutComments(b); comment != nil {
		err = comment
	} else if bytes.HasPrefix(bytes.TrimSpace(plain), []byte("{")) {
		err = q.parseJSON(plain)
	} else {
		err = q.parseLines(b)
	}
	if err == nil {
		err = q.check()
	}
	if err != nil {
		return nil, fmt.Errorf("QCNL configuration: %w", err)
	}
	return q, nil
}

// withoutComments replaces what stands in comments by spaces, so that offsets
// stay.
func withoutComments(b []byte) ([]byte, error) {
	out := bytes.Clone(b)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case quoted || b[i] != '/' || i+1 == len(b):
		case b[i+1] == '/':
			end := len(b)
			if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
				end = i + n
			}
			blank(i, end)
			i = end
		case b[i+1] == '*':
			n := bytes.Index(b[i+2:], []byte("*/"))
			if n < 0 {
				return nil, fmt.Errorf("the comment at offset %d does not end", i)
			}
			blank(i, i+n+4)
			i += n + 3
		}
	}
	return out, nil
}

// object reads an object of JSON, a key at a time.
func object(raw []byte, each func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("no JSON object")
	}
	var seen []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("offset %d: %s", d.InputOffset(), line(err.Error()))
		}
		key, _ := t.(string)
		if len(seen) == 100 {
			return errors.New("more than 100 keys")
		}
		if slices.Contains(seen, key) {
			return fmt.Errorf("key %q is there twice", line(key))
		}
		seen = append(seen, key)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("key %q, offset %d: %s", line(key), d.InputOffset(), line(err.Error()))
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("offset %d: %s", d.InputOffset(), line(err.Error()))
	}
	if rest := bytes.TrimSpace(raw[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("offset %d: something follows the object", d.InputOffset())
	}
	return nil
}

// set reads a value into v.
func set[T any](key string, value json.RawMessage, v *T, want string) error {
	if bytes.Equal(value, []byte("null")) || json.Unmarshal(value, v) != nil {
		return fmt.Errorf("key %q: %s is wanted, not %s", key, want, line(string(value)))
	}
	return nil
}

const (
	wantText   = "a text"
	wantBool   = "true or false"
	wantNumber = "a whole number"
	wantTexts  = "an object of texts"
)

func (q *QCNL) parseJSON(b []byte) error {
	return object(b, func(key string, value json.RawMessage) error {
		switch key {
		case "pccs_url":
			return set(key, value, &q.PCCSURL, wantText)
		case "use_secure_cert":
			return set(key, value, &q.UseSecureCert, wantBool)
		case "collateral_service":
			return set(key, value, &q.CollateralService, wantText)
		case "tcb_update_type":
			return set(key, value, &q.TCBUpdateType, wantText)
		case "pccs_api_version":
			return set(key, value, &q.PCCSAPIVersion, wantText)
		case "retry_times":
			return set(key, value, &q.RetryTimes, wantNumber)
		case "retry_delay":
			return set(key, value, &q.RetryDelay, wantNumber)
		case "local_pck_url":
			return set(key, value, &q.LocalPCKURL, wantText)
		case "pck_cache_expire_hours":
			return set(key, value, &q.PCKCacheExpireHours, wantNumber)
		case "verify_collateral_cache_expire_hours":
			return set(key, value, &q.VerifyCollateralCacheExpireHours, wantNumber)
		case "local_cache_only":
			return set(key, value, &q.LocalCacheOnly, wantBool)
		case "custom_request_options":
			return q.parseOptions(key, value)
		}
		q.Unknown = append(q.Unknown, line(key))
		return nil
	})
}

func (q *QCNL) parseOptions(name string, raw json.RawMessage) error {
	nested := func(err error) error {
		if err != nil {
			return fmt.Errorf("key %q: %w", name, err)
		}
		return nil
	}
	return nested(object(raw, func(key string, value json.RawMessage) error {
		if key != "get_cert" {
			q.Unknown = append(q.Unknown, name+"."+line(key))
			return nil
		}
		return object(value, func(key string, value json.RawMessage) error {
			switch key {
			case "headers":
				return set(key, value, &q.Headers, wantTexts)
			case "params":
				return set(key, value, &q.Params, wantTexts)
			}
			q.Unknown = append(q.Unknown, name+".get_cert."+line(key))
			return nil
		})
	}))
}

// parseLines reads the old form: lines KEY=VALUE, and comments after a #.
func (q *QCNL) parseLines(b []byte) error {
	var seen []string
	number := 0
	for s := range strings.SplitSeq(string(b), "\n") {
		number++
		s, _, _ = strings.Cut(s, "#")
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		key, value, ok := strings.Cut(s, "=")
		key, value = strings.ToUpper(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch {
		case !ok:
			return fmt.Errorf("line %d is neither KEY=VALUE nor is the file a JSON object", number)
		case slices.Contains(seen, key):
			return fmt.Errorf("line %d: %s is there twice", number, line(key))
		case len(seen) == 100:
			return errors.New("more than 100 keys")
		}
		seen = append(seen, key)
		switch key {
		case "PCCS_URL":
			q.PCCSURL = value
		case "USE_SECURE_CERT":
			secure, err := strconv.ParseBool(strings.ToLower(value))
			if err != nil {
				return fmt.Errorf("line %d: %s is wanted, not %q", number, "TRUE or FALSE", line(value))
			}
			q.UseSecureCert = secure
		default:
			q.Unknown = append(q.Unknown, line(key))
		}
	}
	return nil
}
