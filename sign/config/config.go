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
