package pccs_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

// Who reads the log by its keys finds the same ones in each line, and none that is
// empty.
func TestLog(t *testing.T) {
	in := newIntel(t)
	var log bytes.Buffer
	s := in.service(t, pccs.Lazy, func(o *pccs.Options) { o.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	in.fill(t, s)
	in.fails(500, "/tcb")
	of := sgxInfo
	of.FMSPC = "00906ED50000"
	if _, err := s.Document(t.Context(), of); err == nil {
		t.Fatal("it was had")
	}
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	fetched, refused := 0, 0
	for line := range bytes.Lines(log.Bytes()) {
		var of map[string]any
		if err := json.Unmarshal(line, &of); err != nil {
			t.Fatal(err)
		}
		for key, value := range of {
			if !snake.MatchString(key) || value == "" {
				t.Errorf("%q is %#v in %s", key, value, line)
			}
		}
		took, _ := of["took_ns"].(float64)
		switch of["msg"] {
		case "fetched":
			fetched++
			if took <= 0 || of["upstream_request_id"] == nil {
				t.Errorf("%s", line)
			}
		case "not fetched": // without an ID
			refused++
			if _, has := of["upstream_request_id"]; has || took <= 0 || of["why"] != string(pccs.UpstreamBusy) {
				t.Errorf("%s", line)
			}
		}
	}
	if fetched == 0 || refused != 1 {
		t.Errorf("%d fetched, %d not\n%s", fetched, refused, &log)
	}
}
