package dcap

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
)

// The lines around a certificate in PEM (RFC 7468 §5).
const (
	pemBegin = "-----BEGIN CERTIFICATE-----"
	pemEnd   = "-----END CERTIFICATE-----"
)

// pemBlock is a certificate in a chain.
type pemBlock struct {
	der    []byte
	offset int // of the base64 in the text
	width  int // of its lines
	eol    int // bytes of the end of a line
}

// position returns the offset in the text of a byte of the certificate.
func (b *pemBlock) position(offset int) int {
	n := offset / 3 * 4
	return b.offset + n + n/b.width*b.eol
}

// ParseChain reads a chain of one to MaxChainLength certificates in PEM, in
// the order of the text. SplitChain tells which text is taken.
//
// An error is a *ParseError whose Offset is one of the text. If it is about a
// certificate, then Path begins with "certificates[i]", Kind is that of
// ParseCertificate, and the certificates before it are returned too.
func ParseChain(text []byte) ([]*Certificate, error) {
	blocks, err := splitChain(text)
	if err != nil {
		return nil, err
	}
	chain := make([]*Certificate, 0, len(blocks))
	for i := range blocks {
		c, err := ParseCertificate(blocks[i].der)
		if err != nil {
			e := *err.(*ParseError)
			e.Document = "certificate chain"
			e.Offset = blocks[i].position(e.Offset)
			path := fmt.Sprintf("certificates[%d]", i)
			if e.Path != "" {
				path += "." + e.Path
			}
			e.Path = path
			return chain, &e
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// SplitChain returns the certificates of a chain in PEM, each in DER.
//
// The text is taken in its canonical form only, so that none of its bits can
// be changed without changing a certificate: the lines of RFC 7468, which end
// in LF or all of those of a certificate in CR LF; base64 without stray bits, in
// lines of 64 characters, or of 76 as some tools write, of which only the last
// is shorter. Blank lines may follow each certificate. Its last line needs no
// end, since the quote provider puts a chain together from what it is served;
// and one zero byte may come at the end, with which quotes end their chain.
//
// An error is a *ParseError.
func SplitChain(text []byte) ([][]byte, error) {
	blocks, err := splitChain(text)
	if err != nil {
		return nil, err
	}
	chain := make([][]byte, len(blocks))
	for i := range blocks {
		chain[i] = blocks[i].der
	}
	return chain, nil
}

func splitChain(text []byte) ([]pemBlock, error) {
	if len(text) > MaxChainSize {
		return nil, chainError(MaxChainSize, ErrTooLarge, "more bytes than are read")
	}
	s := pemScanner{text: text, end: len(text)}
	if s.end > 0 && text[s.end-1] == 0 {
		s.end--
	}
	s.der = make([]byte, 0, len(text)/4*3)
	blocks := make([]pemBlock, 0, 4)
	for s.pos < s.end || len(blocks) == 0 {
		if len(blocks) == MaxChainLength {
			return nil, chainError(s.pos, ErrTooLarge, "more certificates than are read")
		}
		block, err := s.block()
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func chainError(offset int, kind error, reason string) error {
	return &ParseError{Document: "certificate chain", Offset: offset, Kind: kind, Reason: reason}
}

// A pemScanner goes through a chain.
type pemScanner struct {
	text []byte
	pos  int
	end  int    // of the text without the zero byte
	eol  string // end of a line of this certificate
	der  []byte // of the certificates so far
}

// block reads a certificate and the blank lines after it.
func (s *pemScanner) block() (b pemBlock, err error) {
	if err := s.expect(pemBegin); err != nil {
		return b, err
	}
	s.eol = "\n"
	if s.pos < s.end && s.text[s.pos] == '\r' {
		s.eol = "\r\n"
	}
	if err := s.expect(s.eol); err != nil {
		return b, err
	}
	b = pemBlock{offset: s.pos, width: 64, eol: len(s.eol)}
	begin := len(s.der)
	for first, last := true, false; s.pos >= s.end || s.text[s.pos] != '-' || first; first = false {
		rest := s.text[s.pos:s.end]
		n := bytes.IndexByte(rest[:min(len(rest), 76+len(s.eol))], s.eol[0])
		switch {
		case n < 0 && len(rest) < 76+len(s.eol):
			return b, chainError(s.end, ErrTruncated, "the text ends within a certificate")
		case first && n == 76:
			b.width = 76
		case last, n < 0, n > b.width:
			return b, chainError(s.pos, ErrFormat, fmt.Sprintf("a line of base64 that is not of %d characters", b.width))
		}
		if bad := s.decode(rest[:n]); bad >= 0 {
			return b, chainError(s.pos+bad, ErrFormat, "not base64 in its canonical form")
		}
		s.pos += n
		if err := s.expect(s.eol); err != nil {
			return b, err
		}
		// Only the last line may be shorter, or end in padding.
		last = n < b.width || rest[n-1] == '='
	}
	b.der = s.der[begin:len(s.der):len(s.der)]
	if err := s.expect(pemEnd); err != nil {
		return b, err
	}
	if s.pos < s.end && s.text[s.pos] != pemBegin[0] {
		if err := s.expect(s.eol); err != nil {
			return b, err
		}
	}
	for s.pos < s.end && s.text[s.pos] == s.eol[0] {
		if err := s.expect(s.eol); err != nil {
			return b, err
		}
	}
	return b, nil
}

// expect reads what must come next.
func (s *pemScanner) expect(what string) error {
	rest := s.text[s.pos:s.end]
	if len(rest) >= len(what) && string(rest[:len(what)]) == what {
		s.pos += len(what)
		return nil
	}
	for i := 0; ; i++ {
		if i == len(rest) {
			return chainError(s.end, ErrTruncated, fmt.Sprintf("%q expected", what))
		}
		if rest[i] != what[i] {
			return chainError(s.pos+i, ErrFormat, fmt.Sprintf("%q expected", what))
		}
	}
}

// base64Values has the value of each character of base64, and 0xFF else.
var base64Values = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xFF
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		values[c] = byte(i)
	}
	return values
}()

// decode appends a line to the certificate. Four characters are three bytes;
// at the end of a certificate there may be padding, after bits that are zero.
// The result is where the line is wrong, or -1. (encoding/base64 would pass
// over ends of lines, and takes twice the time.)
func (s *pemScanner) decode(line []byte) (bad int) {
	if len(line) == 0 || len(line)%4 != 0 {
		return len(line)
	}
	whole := len(line)
	padding := 0
	if line[whole-1] == '=' {
		padding = 1
		if line[whole-2] == '=' {
			padding = 2
		}
		whole -= 4
	}
	d := s.der
	var wrong byte
	for i := 0; i < whole; i += 4 {
		q := line[i : i+4 : i+4]
		v0, v1, v2, v3 := base64Values[q[0]], base64Values[q[1]], base64Values[q[2]], base64Values[q[3]]
		wrong |= v0 | v1 | v2 | v3
		d = append(d, v0<<2|v1>>4, v1<<4|v2>>2, v2<<6|v3)
	}
	if wrong > 63 {
		return slices.IndexFunc(line, func(c byte) bool { return base64Values[c] > 63 })
	}
	if padding > 0 {
		q := line[whole:]
		v0, v1, v2 := base64Values[q[0]], base64Values[q[1]], byte(0)
		d = append(d, v0<<2|v1>>4)
		stray := v1 << 4
		if padding == 1 {
			v2 = base64Values[q[2]]
			d = append(d, v1<<4|v2>>2)
			stray = v2 << 6
		}
		if v0 > 63 || v1 > 63 || v2 > 63 || stray != 0 {
			return whole
		}
	}
	s.der = d
	return -1
}

// AppendPEM appends a certificate, given in DER, as SplitChain takes it: in
// lines of 64 characters that end in LF.
func AppendPEM(b, der []byte) []byte {
	b = append(b, pemBegin+"\n"...)
	for len(der) > 0 {
		n := min(len(der), 48)
		b = append(base64.StdEncoding.AppendEncode(b, der[:n]), '\n')
		der = der[n:]
	}
	return append(b, pemEnd+"\n"...)
}
