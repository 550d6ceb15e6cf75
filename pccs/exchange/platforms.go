package exchange

import (
	"encoding/hex"
	"io"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs/store"
)

const whatPlatforms = "platform list"

// ParsePlatforms reads a platform_list.json, which is also what GET /platforms
// answers: an array of objects with the keys of AppendPlatforms, of which all
// but qe_id and pce_id may be empty, null or missing. It reads MaxPlatforms at
// most. Errors are *Error, or those of the reader.
func ParsePlatforms(in io.Reader) ([]store.Registration, error) {
	s := newStream(whatPlatforms, in, MaxCollateral)
	var list []store.Registration
	s.array("", func(part string) {
		if len(list) == MaxPlatforms {
			s.fail(part, ErrTooLarge, "there are more platforms than are read at once")
			return
		}
		s.value(part, func(r *strictjson.Reader) {
			p := readRow(r)
			list = append(list, p.registration())
		})
	})
	return list, s.end()
}

// AppendPlatforms appends a platform_list.json, as GET /platforms answers:
//
//	[{"enc_ppid","platform_manifest","qe_id","pce_id","cpu_svn","pce_svn"}, ...]
//
// All are strings, and empty if they are not known.
func AppendPlatforms(b []byte, list []store.Registration) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, &list[i])
	}
	return append(b, ']')
}

func appendRow(b []byte, p *store.Registration) []byte {
	b = hex.AppendEncode(append(b, `{"enc_ppid":"`...), p.EncryptedPPID)
	b = hex.AppendEncode(append(b, `","platform_manifest":"`...), p.Manifest)
	b = strictjson.AppendString(append(b, `","qe_id":`...), p.QEID)
	b = strictjson.AppendString(append(b, `,"pce_id":`...), p.PCEID)
	b = strictjson.AppendString(append(b, `,"cpu_svn":`...), p.CPUSVN)
	b = strictjson.AppendString(append(b, `,"pce_svn":`...), p.PCESVN)
	return append(b, '}')
}
