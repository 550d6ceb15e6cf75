package config

import "fmt"

// xmlValue is v as the value of f in XML.
func xmlValue(f *field, v uint64) string {
	switch f.kind {
	case size, word, address:
		return fmt.Sprintf("%#x", v)
	}
	return fmt.Sprint(v)
}

// written are the settings that a file of c has: all but an address range
// that is not there.
func (c *Config) written() []*field {
	var out []*field
	for _, f := range fields {
		if f.kind == address && f.get(c) < max(f.min, 1) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// AppendXML appends c as an Enclave.config.xml, with every setting.
func (c *Config) AppendXML(b []byte) []byte {
	b = append(b, "<EnclaveConfiguration>\n"...)
	for _, f := range c.written() {
		b = fmt.Appendf(b, "  <!-- %s -->\n  <%s>%s</%[2]s>\n", f.what, f.name, xmlValue(f, f.get(c)))
	}
	return append(b, "</EnclaveConfiguration>\n"...)
}
