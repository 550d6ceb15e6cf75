package edl

// Rule names what a diagnostic is about. The names are stable.
type Rule string

// Rules of the text itself.
const (
	RuleFile         Rule = "file"         // a file can be opened and is not too large
	RulePreprocessor Rule = "preprocessor" // directives and macros
	RuleToken        Rule = "token"        // characters, comments and strings
	RuleNumber       Rule = "number"       // decimal, and not too large
	RuleSyntax       Rule = "syntax"       // the grammar
	RuleInclude      Rule = "include"      // includes of a block stand at its start
	RuleShortName    Rule = "short-name"   // the file's name is a C identifier
	RuleDialect      Rule = "dialect"      // what only the other dialect has
	RuleLimit        Rule = "limit"        // how much one interface may have
)

// Rules of types and definitions.
const (
	RuleType       Rule = "type"       // which types there are
	RuleConst      Rule = "const"      // where const may stand
	RuleVoid       Rule = "void"       // void is no value
	RuleArraySize  Rule = "array-size" // known, not zero, not too large
	RuleAnonymous  Rule = "anonymous"  // structs and unions have names
	RuleEmpty      Rule = "empty"      // structs and unions have members
	RuleDuplicate  Rule = "duplicate"  // names are defined once
	RuleMemberAttr Rule = "member-attribute"
)

// Rules of attributes.
const (
	RuleNoAttribute   Rule = "no-attribute"        // brackets are not empty
	RuleUnknownAttr   Rule = "unknown-attribute"   // which attributes there are
	RuleAttrValue     Rule = "attribute-value"     // size and count have a value, others none
	RuleDuplicateAttr Rule = "duplicate-attribute" // in, out, size, count stand once
	RuleSizeFunc      Rule = "sizefunc"            // is gone
	RulePlainValue    Rule = "plain-value"         // has no attributes
	RuleDirection     Rule = "direction"           // of pointers and arrays
	RuleUserCheck     Rule = "user-check"          // excludes a direction
	RuleSizeDirection Rule = "size-direction"      // size, count and string need one
	RuleString        Rule = "string"              // what string and wstring go with
	RuleStringType    Rule = "string-type"         // what they are for
	RuleVoidPointer   Rule = "void-pointer"        // needs a size
	RuleConstOut      Rule = "const-out"           // const data is not copied out
	RuleForeign       Rule = "foreign"             // isptr, isary and readonly
	RuleArrayAttr     Rule = "array-attribute"     // arrays have their size already
	RulePointerArray  Rule = "pointer-array"       // not supported
	RuleOperand       Rule = "operand"             // size and count name a parameter
)

// Rules of functions and of the whole interface.
const (
	RuleTrustedForm   Rule = "trusted-form"   // what a trusted function cannot have
	RuleUntrustedForm Rule = "untrusted-form" // what an untrusted function cannot have
	RuleResultArray   Rule = "result-array"   // functions return no array
	RuleConvention    Rule = "convention"     // attributes of untrusted functions
	RuleAllow         Rule = "allow"          // names trusted functions
	RulePublic        Rule = "public"         // there is a public function
	RuleOrphan        Rule = "orphan"         // private functions are allowed somewhere
	RuleStructValue   Rule = "struct-value"   // structs with pointers by value
	RuleStructName    Rule = "struct-name"    // structs are written with struct
	RuleDeepCopy      Rule = "deep-copy"      // how deep structs may be passed
	RuleImport        Rule = "import"         // names exist
	RuleImportCycle   Rule = "import-cycle"
)

// Rules of the Open Enclave dialect, under the names of oeedger8r's warnings.
const (
	RuleForeignPtr  Rule = "foreign-type-ptr"
	RuleNonPortable Rule = "non-portable-type"
	RulePtrInStruct Rule = "ptr-in-struct"
	RulePtrInFunc   Rule = "ptr-in-function"
	RuleReturnPtr   Rule = "return-ptr"
	RuleSignedSize  Rule = "signed-size-or-count"
	RuleUnsupported Rule = "unsupported-allow"
)
