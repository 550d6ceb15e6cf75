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

// implied reports whether a file of c leaves f out, because it has no place in
// it or is as it would be without.
func (c *Config) implied(f *field) bool {
	if from := byName[follows[f.name]]; from != nil {
		return f.get(c) == from.get(c)
	}
	return f.kind == address && f.get(c) < max(f.min, 1)
}

// AppendXML appends c as an Enclave.config.xml with every setting, each with a
// comment; those that need not be there are comments, too. ParseXML reads a
// valid c back as it was.
func (c *Config) AppendXML(b []byte) []byte {
	b = append(b, "<"+rootName+">\n"...)
	for _, f := range fields {
		text := "<%[1]s>%[2]s</%[1]s>"
		if c.implied(f) {
			text = "<!-- " + text + " -->"
		}
		b = fmt.Appendf(b, "  <!-- %[3]s -->\n  "+text+"\n", f.name, xmlValue(f, max(f.get(c), f.min)), f.about(inXML))
	}
	return append(b, "</"+rootName+">\n"...)
}

// AppendTOML appends c in TOML, as AppendXML does in XML. ParseTOML reads a
// valid c back as it was.
func (c *Config) AppendTOML(b []byte) []byte {
	for _, f := range fields {
		text := "%[1]s = %[2]s\n"
		if c.implied(f) {
			text = "# " + text
		}
		b = fmt.Appendf(b, "# %[3]s\n"+text, f.key, tomlValue(f, max(f.get(c), f.min)), f.about(inTOML))
	}
	return b
}
