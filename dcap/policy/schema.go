package policy

import (
	"bytes"
	_ "embed"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of policy files, with which an
// editor completes and checks them, be they in JSON or in TOML. What it does not
// take, ParseTOML and ParseJSON do not take either; they also refuse what
// contradicts itself.
func Schema() []byte { return bytes.Clone(schema) }
