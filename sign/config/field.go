package config

import (
	"math"
	"strconv"
	"strings"
)

// field is one setting: readers, writers, checks and documentation all go by
// the table of them.
type field struct {
	name string // in XML
	key  string // in TOML
	kind kind
	min  uint64
	max  uint64
	get  func(*Config) uint64
	set  func(*Config, uint64)
	what string // the meaning; {Name} is another setting
}

// kind says how a value is spelled and what it must be besides in range.
type kind uint8

const (
	number  kind = iota
	toggle       // 0 or 1, in TOML false or true
	size         // bytes, a multiple of the page size; in TOML with a unit
	word         // bits, in hex
	address      // in hex; part of ELRange
	feature      // in TOML "off", "on" or "loader"
	policy       // in TOML "bind" or "unbind"
)

// maxSize is the largest size that the signing tool takes.
const maxSize = math.MaxUint64 / 2

var fields = []*field{
	{"ProdID", "prod_id", number, 0, 0xFFFF,
		func(c *Config) uint64 { return uint64(c.ProdID) },
		func(c *Config, v uint64) { c.ProdID = uint16(v) },
		"the product among those of one signer (ISVPRODID)"},
	{"ISVSVN", "isv_svn", number, 0, 0xFFFF,
		func(c *Config) uint64 { return uint64(c.ISVSVN) },
		func(c *Config, v uint64) { c.ISVSVN = uint16(v) },
		"the security version of the product (ISVSVN)"},
	boolean("ReleaseType", "release_type", func(c *Config) *bool { return &c.ReleaseType },
		"sets bit 31 of SIGSTRUCT.TYPE"),
	boolean("IntelSigned", "intel_signed", func(c *Config) *bool { return &c.IntelSigned },
		"names Intel as the vendor in SIGSTRUCT"),
	boolean("ProvisionKey", "provision_key", func(c *Config) *bool { return &c.ProvisionKey },
		"lets the enclave derive provisioning keys"),
	boolean("LaunchKey", "launch_key", func(c *Config) *bool { return &c.LaunchKey },
		"lets the enclave derive the launch key; for launch enclaves, which have {HW}"),
	boolean("DisableDebug", "disable_debug", func(c *Config) *bool { return &c.DisableDebug },
		"forbids to load the enclave for debugging"),
	{"HW", "hw", number, 0, 0x10,
		func(c *Config) uint64 { return uint64(c.HW) },
		func(c *Config, v uint64) { c.HW = uint32(v) },
		"the hardware version of a launch enclave, which has {LaunchKey}"},
	count("TCSNum", "tcs_num", 1, func(c *Config) *uint32 { return &c.TCSNum },
		"threads that are there from the start"),
	count("TCSMaxNum", "tcs_max_num", 1, func(c *Config) *uint32 { return &c.TCSMaxNum },
		"most threads; {TCSNum} if not given"),
	count("TCSMinPool", "tcs_min_pool", 0, func(c *Config) *uint32 { return &c.TCSMinPool },
		"threads that are kept when idle"),
	{"TCSPolicy", "tcs_policy", policy, 0, 1,
		func(c *Config) uint64 { return number01(c.TCSUnbound) },
		func(c *Config, v uint64) { c.TCSUnbound = v == 1 },
		"whether a thread of the program keeps its thread of the enclave"},
	amount("StackMaxSize", "stack_max_size", 2*pageSize, func(c *Config) *uint64 { return &c.StackMaxSize },
		"most stack of a thread"),
	amount("StackMinSize", "stack_min_size", 2*pageSize, func(c *Config) *uint64 { return &c.StackMinSize },
		"stack of a thread from the start"),
	amount("HeapMaxSize", "heap_max_size", 0, func(c *Config) *uint64 { return &c.HeapMaxSize },
		"most heap"),
	amount("HeapMinSize", "heap_min_size", 0, func(c *Config) *uint64 { return &c.HeapMinSize },
		"heap that is never given back"),
	amount("HeapInitSize", "heap_init_size", 0, func(c *Config) *uint64 { return &c.HeapInitSize },
		"heap from the start; {HeapMaxSize} if not given"),
	amount("ReservedMemMaxSize", "reserved_mem_max_size", 0, func(c *Config) *uint64 { return &c.ReservedMemMaxSize },
		"most reserved memory, which the enclave manages itself"),
	amount("ReservedMemMinSize", "reserved_mem_min_size", 0, func(c *Config) *uint64 { return &c.ReservedMemMinSize },
		"reserved memory that is never given back"),
	amount("ReservedMemInitSize", "reserved_mem_init_size", 0, func(c *Config) *uint64 { return &c.ReservedMemInitSize },
		"reserved memory from the start; {ReservedMemMaxSize} if not given"),
	boolean("ReservedMemExecutable", "reserved_mem_executable", func(c *Config) *bool { return &c.ReservedMemExecutable },
		"lets reserved memory be executed"),
	{"MiscSelect", "misc_select", word, 0, math.MaxUint32,
		func(c *Config) uint64 { return uint64(c.MiscSelect) },
		func(c *Config, v uint64) { c.MiscSelect = uint32(v) },
		"features of SSA's MISC region; bit 0, EXINFO, asks for dynamic memory"},
	{"MiscMask", "misc_mask", word, 0, math.MaxUint32,
		func(c *Config) uint64 { return uint64(c.MiscMask) },
		func(c *Config, v uint64) { c.MiscMask = uint32(v) },
		"bits of {MiscSelect} that are enforced"},
	boolean("EnableKSS", "enable_kss", func(c *Config) *bool { return &c.EnableKSS },
		"key separation and sharing: family, extended product and configuration IDs"),
	half("ISVFAMILYID_H", "isv_family_id_h", func(c *Config) []byte { return c.ISVFamilyID[8:] },
		"high half of ISVFAMILYID; needs {EnableKSS}"),
	half("ISVFAMILYID_L", "isv_family_id_l", func(c *Config) []byte { return c.ISVFamilyID[:8] },
		"low half of ISVFAMILYID; needs {EnableKSS}"),
	half("ISVEXTPRODID_H", "isv_ext_prod_id_h", func(c *Config) []byte { return c.ISVExtProdID[8:] },
		"high half of ISVEXTPRODID; needs {EnableKSS}"),
	half("ISVEXTPRODID_L", "isv_ext_prod_id_l", func(c *Config) []byte { return c.ISVExtProdID[:8] },
		"low half of ISVEXTPRODID; needs {EnableKSS}"),
	place("EnclaveImageAddress", "enclave_image_address", pageSize, func(r *ELRange) *uint64 { return &r.ImageAddress },
		"where the enclave's file is loaded; needs {ELRangeSize}"),
	place("ELRangeStartAddress", "elrange_start_address", 0, func(r *ELRange) *uint64 { return &r.Start },
		"where the enclave's address range begins; needs {ELRangeSize}"),
	place("ELRangeSize", "elrange_size", pageSize, func(r *ELRange) *uint64 { return &r.Size },
		"size of a fixed address range, a power of two"),
	{"PKRU", "pkru", feature, 0, 2,
		func(c *Config) uint64 { return uint64(c.PKRU) },
		func(c *Config, v uint64) { c.PKRU = Feature(v) },
		"protection keys"},
	{"AMX", "amx", feature, 0, 2,
		func(c *Config) uint64 { return uint64(c.AMX) },
		func(c *Config, v uint64) { c.AMX = Feature(v) },
		"matrix extensions"},
	amount("UserRegionSize", "user_region_size", 0, func(c *Config) *uint64 { return &c.UserRegionSize },
		"address range that the enclave maps itself; needs SGX2"),
	boolean("EnableAEXNotify", "enable_aex_notify", func(c *Config) *bool { return &c.EnableAEXNotify },
		"tells the enclave of asynchronous exits"),
	boolean("EnableIPPFIPS", "enable_ipp_fips", func(c *Config) *bool { return &c.EnableIPPFIPS },
		"FIPS mode of the IPP cryptography library"),
	boolean("EnableOSSLFIPS", "enable_ossl_fips", func(c *Config) *bool { return &c.EnableOSSLFIPS },
		"FIPS mode of OpenSSL; not with {EnableIPPFIPS}"),
}

// follows are settings that are as another one if they are not given.
var follows = map[string]string{
	"TCSMaxNum": "TCSNum", "HeapInitSize": "HeapMaxSize", "ReservedMemInitSize": "ReservedMemMaxSize",
}

var byName, byKey = func() (name, key map[string]*field) {
	name, key = map[string]*field{}, map[string]*field{}
	for _, f := range fields {
		name[f.name], key[f.key] = f, f
	}
	return name, key
}()

func number01(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func boolean(name, key string, p func(*Config) *bool, what string) *field {
	return &field{name, key, toggle, 0, 1,
		func(c *Config) uint64 { return number01(*p(c)) },
		func(c *Config, v uint64) { *p(c) = v == 1 }, what}
}

func count(name, key string, least uint64, p func(*Config) *uint32, what string) *field {
	return &field{name, key, number, least, math.MaxUint32,
		func(c *Config) uint64 { return uint64(*p(c)) },
		func(c *Config, v uint64) { *p(c) = uint32(v) }, what}
}

func amount(name, key string, least uint64, p func(*Config) *uint64, what string) *field {
	return &field{name, key, size, least, maxSize,
		func(c *Config) uint64 { return *p(c) },
		func(c *Config, v uint64) { *p(c) = v }, what}
}

// half is eight bytes of an identifier, which is stored low half first.
func half(name, key string, p func(*Config) []byte, what string) *field {
	return &field{name, key, word, 0, math.MaxUint64,
		func(c *Config) (v uint64) {
			for i, b := range p(c) {
				v |= uint64(b) << (8 * i)
			}
			return v
		},
		func(c *Config, v uint64) {
			for i := range p(c) {
				p(c)[i] = byte(v >> (8 * i))
			}
		}, what}
}

// place is a value of the address range, which is there if one of them is.
func place(name, key string, least uint64, p func(*ELRange) *uint64, what string) *field {
	return &field{name, key, address, least, math.MaxUint64,
		func(c *Config) uint64 {
			if c.ELRange == nil {
				return 0
			}
			return *p(c.ELRange)
		},
		func(c *Config, v uint64) {
			if c.ELRange == nil {
				c.ELRange = &ELRange{}
			}
			*p(c.ELRange) = v
		}, what}
}

// about is what the setting means, for a reader of a file.
func (f *field) about(s spelling) string {
	what := f.what
	for _, g := range fields {
		what = strings.ReplaceAll(what, "{"+g.name+"}", s.name(g))
	}
	var values []string
	for v, name := range f.kind.names() {
		text := s.value(f, uint64(v))
		if text != strconv.Quote(name) {
			text += " " + name
		}
		values = append(values, text)
	}
	if values != nil {
		what += ": " + strings.Join(values, ", ")
	}
	return what
}
