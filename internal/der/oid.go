package der

import "strconv"

// OID returns the content of an OBJECT IDENTIFIER, whose form it checks. Its
// numbers are below 2^31, as those of all that exist.
func (r *Reader) OID() []byte {
	start := r.pos
	b := r.Bytes(TagOID)
	if len(b) == 0 || b[len(b)-1] >= 0x80 {
		r.fail(Malformed, start, "an object identifier that ends within a number")
		return nil
	}
	var n uint64
	first := true // byte of a number
	for _, c := range b {
		n = n<<7 | uint64(c&0x7F)
		if first && c == 0x80 || n >= 1<<31 {
			r.fail(Malformed, start, "a number that is too large or not in its shortest form")
			return nil
		}
		if first = c < 0x80; first {
			n = 0
		}
	}
	return b
}

// OIDString writes the content of an OBJECT IDENTIFIER with dots. Of numbers
// beyond 2^56 it writes "?".
func OIDString(content []byte) string {
	var s []byte
	var arc uint64
	size := 0
	for _, c := range content {
		arc = arc<<7 | uint64(c&0x7F)
		if size++; c >= 0x80 {
			continue
		}
		if s == nil { // the first number is of two arcs
			top := min(arc/40, 2)
			s = append(strconv.AppendUint(s, top, 10), '.')
			arc -= 40 * top
		} else {
			s = append(s, '.')
		}
		if size > 8 {
			s = append(s, '?')
		} else {
			s = strconv.AppendUint(s, arc, 10)
		}
		arc, size = 0, 0
	}
	return string(s)
}
