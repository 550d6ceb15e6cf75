package aesm_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// The schema, written down a second time: for each message, a value of each
// field in the order of their numbers. Fields have different values, so that
// none can be taken for another.
type wireValue struct {
	number uint64
	value  uint64 // of a number, if text is empty
	text   string
}

func n(number, value uint64) wireValue           { return wireValue{number, value, ""} }
func b(number uint64, text string) wireValue     { return wireValue{number, 0, text} }
func message(kind uint64, v ...wireValue) []byte { return protoBytes(kind, string(protoFields(v...))) }
func protoFields(values ...wireValue) (out []byte) {
	for _, v := range values {
		if v.text != "" {
			out = append(out, protoBytes(v.number, v.text)...)
		} else {
			out = append(append(out, protoVarint(v.number*8)...), protoVarint(v.value)...)
		}
	}
	return out
}

func protoBytes(number uint64, text string) []byte {
	return append(append(protoVarint(number*8+2), protoVarint(uint64(len(text)))...), text...)
}

// protoVarint takes seven bits at a time from the low end.
func protoVarint(v uint64) []byte {
	if v < 128 {
		return []byte{byte(v)}
	}
	return append([]byte{byte(v%128) + 128}, protoVarint(v/128)...)
}

var requests = []struct {
	wire []byte
	want aesm.Request
}{
	{message(1, n(9, 300)), &aesm.InitQuoteRequest{Timeout: 300}},
	{message(2, b(1, "report"), n(2, 1), b(3, "spid"), b(4, "nonce"), b(5, "list"), n(6, 1<<32-1), n(7, 1), n(9, 300)), &aesm.GetQuoteRequest{
		Report: []byte("report"), QuoteType: 1, SPID: []byte("spid"), Nonce: []byte("nonce"), SigRL: []byte("list"), BufSize: 1<<32 - 1, QEReport: true, Timeout: 300}},
	{message(2, b(1, "report"), n(2, 0), b(3, "spid"), n(6, 0), n(7, 0)), &aesm.GetQuoteRequest{Report: []byte("report"), SPID: []byte("spid")}},
	{message(3, b(1, "mr"), b(2, "signer"), b(3, "attr"), n(9, 1)), &aesm.GetLaunchTokenRequest{MREnclave: []byte("mr"), MRSigner: []byte("signer"), Attributes: []byte("attr"), Timeout: 1}},
	{message(4, b(1, "info"), n(2, 5), n(3, 12), n(9, 1)), &aesm.ReportAttestationErrorRequest{PlatformInfo: []byte("info"), AttestationError: 5, UpdateInfoSize: 12, Timeout: 1}},
	{message(10, n(9, 128)), &aesm.GetWhiteListSizeRequest{Timeout: 128}},
	{message(11, n(1, 7), n(9, 127)), &aesm.GetWhiteListRequest{Size: 7, Timeout: 127}},
	{message(12, n(9, 1)), &aesm.GetExtendedGroupIDRequest{Timeout: 1}},
	{message(13, n(1, 0), n(9, 1)), &aesm.SwitchExtendedGroupRequest{Timeout: 1}},
	{message(14, b(1, "list"), n(2, 3), n(9, 1)), &aesm.RegisterRequest{Buf: []byte("list"), DataType: 3, Timeout: 1}},
	{message(15, b(1, "key"), n(3, 1), n(4, 1<<40), n(9, 1)), &aesm.InitQuoteExRequest{AttKeyID: []byte("key"), WantPubKeyID: true, BufSize: 1 << 40, Timeout: 1}},
	{message(16, b(1, "key"), n(9, 1)), &aesm.GetQuoteSizeExRequest{AttKeyID: []byte("key"), Timeout: 1}},
	{message(17, b(1, "report"), b(2, "key"), b(3, "info"), n(4, 9), n(9, 1)), &aesm.GetQuoteExRequest{Report: []byte("report"), AttKeyID: []byte("key"), QEReportInfo: []byte("info"), BufSize: 9, Timeout: 1}},
	{message(18, b(1, "info"), n(2, 12), n(3, 4), n(9, 1)), &aesm.CheckUpdateStatusRequest{PlatformInfo: []byte("info"), UpdateInfoSize: 12, Config: 4, Timeout: 1}},
	{message(19, b(1, "list"), n(2, 5)), &aesm.SelectAttKeyIDRequest{List: []byte("list"), Timeout: 5}},
	{message(21, n(9, 1)), &aesm.GetSupportedAttKeyIDNumRequest{Timeout: 1}},
	{message(22, n(1, 512), n(9, 1)), &aesm.GetSupportedAttKeyIDsRequest{BufSize: 512, Timeout: 1}},
}

var responses = []struct {
	wire []byte
	want aesm.Response
}{
	{message(1, n(1, 0), b(2, "target"), b(3, "gid")), &aesm.InitQuoteResponse{TargetInfo: []byte("target"), GID: []byte("gid")}},
	{message(2, n(1, 0), b(2, "quote"), b(3, "report")), &aesm.GetQuoteResponse{Quote: []byte("quote"), QEReport: []byte("report")}},
	{message(3, n(1, 6), b(2, "token")), &aesm.GetLaunchTokenResponse{ErrorCode: 6, Token: []byte("token")}},
	{message(4, n(1, 20), b(2, "update")), &aesm.ReportAttestationErrorResponse{ErrorCode: 20, UpdateInfo: []byte("update")}},
	{message(10, n(1, 0), n(2, 0)), &aesm.GetWhiteListSizeResponse{}},
	{message(11, n(1, 0), b(2, "list")), &aesm.GetWhiteListResponse{List: []byte("list")}},
	{message(12, n(1, 0), n(2, 0)), &aesm.GetExtendedGroupIDResponse{}},
	{message(13, n(1, 30)), &aesm.SwitchExtendedGroupResponse{ErrorCode: 30}},
	{message(14, n(1, 300)), &aesm.RegisterResponse{ErrorCode: 300}},
	{message(15, n(1, 0), b(2, "target"), n(3, 1<<33), b(4, "id")), &aesm.InitQuoteExResponse{TargetInfo: []byte("target"), PubKeyIDSize: 1 << 33, PubKeyID: []byte("id")}},
	{message(16, n(1, 0), n(2, 4668)), &aesm.GetQuoteSizeExResponse{Size: 4668}},
	{message(17, n(1, 0), b(2, "quote"), b(3, "info")), &aesm.GetQuoteExResponse{Quote: []byte("quote"), QEReportInfo: []byte("info")}},
	{message(18, n(1, 20), b(2, "update"), n(3, 2)), &aesm.CheckUpdateStatusResponse{ErrorCode: 20, UpdateInfo: []byte("update"), Status: 2}},
	{message(19, n(1, 38)), &aesm.SelectAttKeyIDResponse{ErrorCode: 38}},
	{message(19, n(1, 0), b(2, "key")), &aesm.SelectAttKeyIDResponse{AttKeyID: []byte("key")}},
	{message(20, n(1, 1)), &aesm.UnsupportedResponse{ErrorCode: 1}},
	{message(21, n(1, 0), n(2, 3)), &aesm.GetSupportedAttKeyIDNumResponse{Num: 3}},
	{message(22, n(1, 0), b(2, "keys")), &aesm.GetSupportedAttKeyIDsResponse{AttKeyIDs: []byte("keys")}},
}

func TestRequests(t *testing.T) {
	for _, c := range requests {
		if got := aesm.AppendRequest([]byte("x"), c.want); !bytes.Equal(got, append([]byte("x"), c.wire...)) {
			t.Errorf("%v: wrote %x, want %x", c.want.Kind(), got[1:], c.wire)
		}
		if got, err := aesm.ParseRequest(c.wire); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: read %+v, %v", c.want.Kind(), got, err)
		}
	}
}

func TestResponses(t *testing.T) {
	for _, c := range responses {
		if got := aesm.AppendResponse([]byte("x"), c.want); !bytes.Equal(got, append([]byte("x"), c.wire...)) {
			t.Errorf("%v: wrote %x, want %x", c.want.Kind(), got[1:], c.wire)
		}
		got, err := aesm.ParseResponse(c.wire)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: read %+v, %v", c.want.Kind(), got, err)
			continue
		}
		if code := reflect.ValueOf(c.want).Elem().FieldByName("ErrorCode").Uint(); uint64(aesm.CodeOf(got)) != code {
			t.Errorf("%v: code %v", c.want.Kind(), aesm.CodeOf(got))
		}
	}
}

// What protocol buffers allow, and what they do not.
func TestWireRules(t *testing.T) {
	full := []wireValue{b(1, "report"), b(2, "key"), n(4, 9)}
	want := &aesm.GetQuoteExRequest{Report: []byte("report"), AttKeyID: []byte("key"), BufSize: 9}
	group := func(number uint64, in ...byte) []byte {
		return append(append(protoVarint(number*8+3), in...), protoVarint(number*8+4)...)
	}
	body := protoFields(full...)
	for _, c := range []struct {
		name string
		wire []byte
		bad  string // part of the error; "" if it is read as want
	}{
		{"as it is", message(17, full...), ""},
		{"in another order", message(17, n(4, 9), b(2, "key"), b(1, "report")), ""},
		{"the last of several counts", message(17, append([]wireValue{n(4, 1), b(1, "other"), n(4, 2)}, full...)...), ""},
		{"unknown fields", message(17, append([]wireValue{n(1000, 1), b(31, "x"), n(64, 3), n(33, 7)}, full...)...), ""},
		{"another wire type is an unknown field", message(17, append(full, n(1, 7), b(4, "text"))...), ""},
		{"numbers of 32 and 64 bits", protoBytes(17, string(body)+"\x75abcd"+"\x71abcdefgh"), ""},
		{"unknown group", protoBytes(17, string(body)+string(group(6, group(7, 8, 1)...))), ""},
		{"unknown beside the message", append(message(1000, n(1, 1)), message(17, full...)...), ""},
		{"parts of one message", append(message(17, full[0]), message(17, full[1:]...)...), ""},
		{"long form of a number", protoBytes(17, string(protoFields(full[:2]...))+"\x20\x89\x80\x80\x00"), ""},
		{"number above 32 bits", message(17, full[0], full[1], n(4, 1<<32+9)), ""},
		{"nothing", nil, "nothing known"},
		{"a number where the message should be", []byte{17 * 8 & 127, 1}, "nothing known"},
		{"two messages", append(message(17, full...), message(16, full[1])...), "GetQuoteEx and GetQuoteSizeEx in one"},
		{"no report", message(17, full[1:]...), "field 1 is missing"},
		{"no size", message(17, full[:2]...), "field 4 is missing"},
		{"report of the wrong wire type", message(17, n(1, 3), n(4, 9)), "field 1 is missing"},
		{"cut off", message(17, full...)[:12], "longer than what is left"},
		{"tag only", []byte{0x8a}, "no tag"},
		{"number of field 0", protoBytes(17, "\x00\x01"), "no tag"},
		{"tag of more than 32 bits", protoBytes(17, "\xf8\xff\xff\xff\x7f\x01"), "no tag"},
		{"length of 2^63", protoBytes(17, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "longer than what is left"},
		{"number of 11 bytes", protoBytes(17, "\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), "too long"},
		{"number of 32 bits cut off", protoBytes(17, "\x75abc"), "cut off"},
		{"end of no group", protoBytes(17, string(body)+"\x34"), "no such wire type"},
		{"wire type 6", protoBytes(17, "\x0e"), "no such wire type"},
		{"group without an end", protoBytes(17, "\x33\x08\x01"), "no end"},
		{"groups too deep", protoBytes(17, string(bytes.Repeat([]byte{0x33}, 100_000))), "too deep"},
	} {
		got, err := aesm.ParseRequest(c.wire)
		if c.bad == "" {
			if err != nil || !reflect.DeepEqual(got, aesm.Request(want)) {
				t.Errorf("%s: got %+v, %v", c.name, got, err)
			}
			continue
		}
		refused(t, c.name, err, c.bad)
	}
}
