// Package config is the configuration that an Intel SDK enclave is signed
// with: Enclave.config.xml, or the same settings in TOML. It reads, checks
// and writes them, and knows nothing of enclave files.
//
// Element names, ranges and defaults are those of the SDK's signing tool
// (Intel SGX SDK Developer Reference for Linux, "Enclave Configuration File").
package config

// Config holds the settings of an enclave. Sizes are in bytes, counts are of
// threads. Default returns what the signing tool assumes without a file.
type Config struct {
	ProdID uint16 // ISVPRODID
	ISVSVN uint16

	ReleaseType  bool // sets bit 31 of SIGSTRUCT.TYPE
	IntelSigned  bool // SIGSTRUCT.VENDOR is 0x8086
	ProvisionKey bool // ATTRIBUTES.PROVISIONKEY
	LaunchKey    bool // ATTRIBUTES.EINITTOKEN_KEY; if and only if HW is not zero
	DisableDebug bool // EINIT refuses ATTRIBUTES.DEBUG
	HW           uint32

	TCSNum     uint32 // static threads
	TCSMaxNum  uint32 // static and dynamic threads; never below TCSNum
	TCSMinPool uint32
	TCSUnbound bool // TCSPolicy 1: a thread is taken for each root ECALL

	StackMinSize, StackMaxSize                                  uint64
	HeapMinSize, HeapInitSize, HeapMaxSize                      uint64
	ReservedMemMinSize, ReservedMemInitSize, ReservedMemMaxSize uint64
	ReservedMemExecutable                                       bool
	UserRegionSize                                              uint64

	MiscSelect, MiscMask uint32

	EnableKSS    bool     // ATTRIBUTES.KSS
	ISVFamilyID  [16]byte // low half first
	ISVExtProdID [16]byte

	// ELRange places the enclave at fixed addresses; nil lets the loader choose.
	ELRange *ELRange

	PKRU, AMX Feature

	EnableAEXNotify bool
	EnableIPPFIPS   bool
	EnableOSSLFIPS  bool
}

// ELRange is where an enclave and its image lie.
type ELRange struct {
	ImageAddress uint64 // EnclaveImageAddress
	Start        uint64 // ELRangeStartAddress
	Size         uint64 // ELRangeSize, a power of two
}

// Feature says what SIGSTRUCT demands of an XFRM feature.
type Feature uint8

// Features, with the file's values.
const (
	FeatureOff    Feature = 0 // must be off
	FeatureOn     Feature = 1 // must be on
	FeatureLoader Feature = 2 // the loader selects
)

// pageSize is what sizes are multiples of.
const pageSize = 4096

// Default returns the configuration of an enclave that has none.
func Default() Config {
	return Config{
		TCSNum: 1, TCSMaxNum: 1, TCSMinPool: 1, TCSUnbound: true,
		StackMinSize: 8 << 10, StackMaxSize: 256 << 10,
		HeapMinSize: 4 << 10, HeapInitSize: 16 << 20, HeapMaxSize: 16 << 20,
		MiscMask: 0xFFFFFFFF,
	}
}

// Dynamic reports whether the enclave's heap, stacks, reserved memory or
// threads grow beyond what is there when it is initialized. A thread above
// the first is static if TCSMinPool keeps it.
func (c *Config) Dynamic() bool {
	pool := min(c.TCSMinPool, c.TCSNum-1)
	return c.StackMinSize != c.StackMaxSize ||
		c.HeapMinSize != c.HeapInitSize || c.HeapInitSize != c.HeapMaxSize ||
		c.ReservedMemMinSize != c.ReservedMemInitSize || c.ReservedMemInitSize != c.ReservedMemMaxSize ||
		uint64(c.TCSMaxNum) != uint64(pool)+1
}

// Metadata says for which processors a valid configuration asks metadata, and
// in a note, which may be empty, what that means to the enclave. MISCSELECT's
// EXINFO is what SGX2 is told by: dynamic memory needs its page faults.
func (c *Config) Metadata() (sgx1, sgx2 bool, note string) {
	wanted, required := c.MiscSelect&1 != 0, c.MiscSelect&c.MiscMask&1 != 0
	switch {
	case c.UserRegionSize > 0:
		return false, true, "UserRegionSize needs SGX2: the enclave runs on no older processor"
	case !c.Dynamic() && required:
		return true, false, "MiscSelect and MiscMask demand EXINFO, which processors with SGX1 only do not have"
	case !c.Dynamic():
		return true, false, ""
	case !wanted:
		return true, false, "heap, stacks and threads have their full size from the start; MiscSelect 1 with MiscMask 0xFFFFFFFE would let them grow on SGX2"
	case required:
		return false, true, "the enclave grows, which needs SGX2: it runs on no older processor"
	}
	return true, true, "the enclave runs on SGX1 and SGX2, and grows on SGX2 only"
}
