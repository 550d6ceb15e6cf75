package der

// Append appends an element of a content in several parts.
func Append(b []byte, tag byte, content ...[]byte) []byte {
	n := 0
	for _, part := range content {
		n += len(part)
	}
	b = append(b, tag)
	switch {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 1<<8:
		b = append(b, 0x81, byte(n))
	case n < 1<<16:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default: // up to the 16 MiB that a Reader reads
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, part := range content {
		b = append(b, part...)
	}
	return b
}

// AppendUint appends a number as INTEGER, or with another tag, as ENUMERATED.
func AppendUint(b []byte, tag byte, n uint32) []byte {
	content := []byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	for len(content) > 1 && content[0] == 0 && content[1] < 0x80 {
		content = content[1:]
	}
	return Append(b, tag, content)
}

// AppendBoolean appends a BOOLEAN.
func AppendBoolean(b []byte, v bool) []byte {
	if v {
		return append(b, TagBoolean, 1, 0xFF)
	}
	return append(b, TagBoolean, 1, 0)
}
