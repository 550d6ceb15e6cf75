package isa

import "fmt"

// ENCLU is a leaf number of the ENCLU instruction.
type ENCLU uint32

// Leaves of ENCLU, opcode 0F 01 D7 (SDM Vol. 3D, "SGX Instruction
// References").
const (
	EREPORT        ENCLU = 0x0
	EGETKEY        ENCLU = 0x1
	EENTER         ENCLU = 0x2
	ERESUME        ENCLU = 0x3
	EEXIT          ENCLU = 0x4
	EACCEPT        ENCLU = 0x5
	EMODPE         ENCLU = 0x6
	EACCEPTCOPY    ENCLU = 0x7
	EVERIFYREPORT2 ENCLU = 0x8
	EDECCSSA       ENCLU = 0x9
)

// String returns the leaf's name.
func (l ENCLU) String() string {
	names := map[ENCLU]string{
		EREPORT: "EREPORT", EGETKEY: "EGETKEY", EENTER: "EENTER", ERESUME: "ERESUME",
		EEXIT: "EEXIT", EACCEPT: "EACCEPT", EMODPE: "EMODPE", EACCEPTCOPY: "EACCEPTCOPY",
		EVERIFYREPORT2: "EVERIFYREPORT2", EDECCSSA: "EDECCSSA",
	}
	if n, ok := names[l]; ok {
		return n
	}
	return fmt.Sprintf("ENCLU[%#x]", uint32(l))
}

// ENCLS is a leaf number of the ENCLS instruction.
type ENCLS uint32

// Leaves of ENCLS, opcode 0F 01 CF.
const (
	ECREATE ENCLS = 0x00
	EADD    ENCLS = 0x01
	EINIT   ENCLS = 0x02
	EREMOVE ENCLS = 0x03
	EDBGRD  ENCLS = 0x04
	EDBGWR  ENCLS = 0x05
	EEXTEND ENCLS = 0x06
	ELDB    ENCLS = 0x07
	ELDU    ENCLS = 0x08
	EBLOCK  ENCLS = 0x09
	EPA     ENCLS = 0x0A
	EWB     ENCLS = 0x0B
	ETRACK  ENCLS = 0x0C
	EAUG    ENCLS = 0x0D
	EMODPR  ENCLS = 0x0E
	EMODT   ENCLS = 0x0F
)

// String returns the leaf's name.
func (l ENCLS) String() string {
	names := [...]string{
		"ECREATE", "EADD", "EINIT", "EREMOVE", "EDBGRD", "EDBGWR", "EEXTEND", "ELDB",
		"ELDU", "EBLOCK", "EPA", "EWB", "ETRACK", "EAUG", "EMODPR", "EMODT",
	}
	if int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("ENCLS[%#x]", uint32(l))
}

// EncluOpcode is the encoding of ENCLU.
var EncluOpcode = [3]byte{0x0F, 0x01, 0xD7}

// Vector is an exception vector.
type Vector uint8

// Exception vectors that SGX reports or raises.
const (
	VectorDE Vector = 0
	VectorDB Vector = 1
	VectorBP Vector = 3
	VectorBR Vector = 5
	VectorUD Vector = 6
	VectorSS Vector = 12 // raised, but not told in EXITINFO
	VectorGP Vector = 13
	VectorPF Vector = 14
	VectorMF Vector = 16
	VectorAC Vector = 17
	VectorXM Vector = 19
	VectorCP Vector = 21
)

// String returns the mnemonic with its hash sign.
func (v Vector) String() string {
	names := map[Vector]string{
		VectorDE: "#DE", VectorDB: "#DB", VectorBP: "#BP", VectorBR: "#BR", VectorUD: "#UD",
		VectorSS: "#SS", VectorGP: "#GP", VectorPF: "#PF", VectorMF: "#MF", VectorAC: "#AC", VectorXM: "#XM", VectorCP: "#CP",
	}
	if n, ok := names[v]; ok {
		return n
	}
	return fmt.Sprintf("vector %d", uint8(v))
}

// Bits of a page fault's error code.
const (
	PFPresent uint32 = 1 << 0
	PFWrite   uint32 = 1 << 1
	PFUser    uint32 = 1 << 2
	PFFetch   uint32 = 1 << 4
	PFSGX     uint32 = 1 << 15 // the EPCM refused what the page tables allow
)

// Bits of RFLAGS that the leaves write.
const (
	FlagCF uint64 = 1 << 0
	FlagPF uint64 = 1 << 2
	FlagAF uint64 = 1 << 4
	FlagZF uint64 = 1 << 6
	FlagSF uint64 = 1 << 7
	FlagTF uint64 = 1 << 8
	FlagDF uint64 = 1 << 10
	FlagOF uint64 = 1 << 11
	FlagRF uint64 = 1 << 16
)
