package scan

// Op is an instruction that matters inside an enclave.
type Op uint8

// none is what is no instruction; Plain is one that is legal everywhere.
const (
	none Op = iota
	Plain

	CPUID
	GETSEC
	RDPMC
	SGDT
	SIDT
	SLDT
	STR
	SMSW
	LAR
	LSL
	VERR
	VERW
	VMCALL
	VMFUNC
	VMLAUNCH
	VMRESUME
	VMXOFF
	VMXON
	VMPTRLD
	VMPTRST
	VMCLEAR
	VMREAD
	VMWRITE
	INVEPT
	INVVPID
	VMRUN
	VMMCALL
	VMLOAD
	VMSAVE
	STGI
	CLGI
	SKINIT
	INVLPGA
	TDCALL
	SEAMRET
	SEAMOPS
	SEAMCALL

	IN
	INS
	OUT
	OUTS

	FarCALL
	FarJMP
	FarRET
	INT
	INT3Long
	INT1
	IRET
	MOVToSeg
	LSS
	LFS
	LGS
	POPSeg
	SYSCALL
	SYSENTER
	SYSRET
	SYSEXIT
	UIRET
	TESTUI
	CLUI
	STUI
	SENDUIPI

	ENCLS
	ENCLV
	PCONFIG
	HLT
	CLI
	STI
	CLTS
	INVD
	WBINVD
	WBNOINVD
	INVLPG
	INVPCID
	LMSW
	LGDT
	LIDT
	LLDT
	LTR
	LKGS
	MOVCR
	MOVDR
	RDMSR
	WRMSR
	WRMSRNS
	RDMSRLIST
	WRMSRLIST
	URDMSR
	UWRMSR
	XSETBV
	XSAVES
	XRSTORS
	RSM
	MONITOR
	MWAIT
	CLAC
	STAC
	SWAPGS
	ERETS
	ERETU
	SETSSBSY
	CLRSSBSY
	WRUSS
	ENQCMDS
	LOADIWKEY
	HRESET
	RDPRU
	MONITORX
	MWAITX
	CLZERO
	INVLPGB
	TLBSYNC

	RDTSC
	RDTSCP

	numOps
)

// Reasons (SDM Vol. 3D, "Illegal Instructions", unless they name another).
const (
	whyExit  = "#UD in an enclave: it might cause a VM exit"
	whyInfo  = "#UD in an enclave: it might give access to kernel information"
	whyVMX   = "#UD in an enclave: an instruction of virtual machines"
	whyAMD   = "no instruction of processors with SGX: #UD"
	whyTDX   = "#UD outside of TDX: an instruction of virtual machines"
	whyIO    = "#UD in an enclave: port I/O"
	whySeg   = "#UD in an enclave: it loads a segment register or may change the privilege level"
	whyInt3  = "#UD in an enclave: INT n, even if n is 3; the breakpoint is CC"
	whyUINTR = "#UD in an enclave: user interrupts (SDM Vol. 2, the instruction's page)"
	whyPriv  = "privileged: faults at CPL 3, the only level of an enclave (SDM Vol. 3A, \"Privileged Instructions\")"
	whyMSR   = "reads or writes model-specific registers: not for an enclave"
	whyTime  = "#UD in an enclave of a processor without SGX2, and its value is the host's (SDM Vol. 3D, \"RDTSC and RDTSCP Instructions\")"
)

// ops names the instructions and says of each why it matters.
var ops = [numOps]struct{ name, why string }{
	none: {"(undecodable)", "no instruction that is known, or one that its function cuts off"}, Plain: {"(other)", ""},

	CPUID: {"CPUID", whyExit}, GETSEC: {"GETSEC", whyExit}, RDPMC: {"RDPMC", whyExit}, SGDT: {"SGDT", whyExit},
	SIDT: {"SIDT", whyExit}, SLDT: {"SLDT", whyExit}, STR: {"STR", whyExit}, VMCALL: {"VMCALL", whyExit}, VMFUNC: {"VMFUNC", whyExit},
	SMSW: {"SMSW", whyInfo}, LAR: {"LAR", whyInfo}, LSL: {"LSL", whyInfo}, VERR: {"VERR", whyInfo}, VERW: {"VERW", whyInfo},

	VMLAUNCH: {"VMLAUNCH", whyVMX}, VMRESUME: {"VMRESUME", whyVMX}, VMXOFF: {"VMXOFF", whyVMX}, VMXON: {"VMXON", whyVMX},
	VMPTRLD: {"VMPTRLD", whyVMX}, VMPTRST: {"VMPTRST", whyVMX}, VMCLEAR: {"VMCLEAR", whyVMX}, VMREAD: {"VMREAD", whyVMX},
	VMWRITE: {"VMWRITE", whyVMX}, INVEPT: {"INVEPT", whyVMX}, INVVPID: {"INVVPID", whyVMX},

	VMRUN: {"VMRUN", whyAMD}, VMMCALL: {"VMMCALL", whyAMD}, VMLOAD: {"VMLOAD", whyAMD}, VMSAVE: {"VMSAVE", whyAMD},
	STGI: {"STGI", whyAMD}, CLGI: {"CLGI", whyAMD}, SKINIT: {"SKINIT", whyAMD}, INVLPGA: {"INVLPGA", whyAMD},
	RDPRU: {"RDPRU", whyAMD}, MONITORX: {"MONITORX", whyAMD}, MWAITX: {"MWAITX", whyAMD}, CLZERO: {"CLZERO", whyAMD},
	INVLPGB: {"INVLPGB", whyAMD}, TLBSYNC: {"TLBSYNC", whyAMD},

	TDCALL: {"TDCALL", whyTDX}, SEAMRET: {"SEAMRET", whyTDX}, SEAMOPS: {"SEAMOPS", whyTDX}, SEAMCALL: {"SEAMCALL", whyTDX},

	IN: {"IN", whyIO}, INS: {"INS", whyIO}, OUT: {"OUT", whyIO}, OUTS: {"OUTS", whyIO},

	FarCALL: {"far CALL", whySeg}, FarJMP: {"far JMP", whySeg}, FarRET: {"far RET", whySeg}, INT: {"INT", whySeg},
	INT3Long: {"INT 3", whyInt3}, INT1: {"INT1", whySeg}, IRET: {"IRET", whySeg}, MOVToSeg: {"MOV to segment", whySeg},
	LSS: {"LSS", whySeg}, LFS: {"LFS", whySeg}, LGS: {"LGS", whySeg}, POPSeg: {"POP to segment", whySeg},
	SYSCALL: {"SYSCALL", whySeg}, SYSENTER: {"SYSENTER", whySeg}, SYSRET: {"SYSRET", whySeg}, SYSEXIT: {"SYSEXIT", whySeg},

	UIRET: {"UIRET", whyUINTR}, TESTUI: {"TESTUI", whyUINTR}, CLUI: {"CLUI", whyUINTR}, STUI: {"STUI", whyUINTR},
	SENDUIPI: {"SENDUIPI", whyUINTR},

	ENCLS: {"ENCLS", whyPriv}, ENCLV: {"ENCLV", whyPriv}, PCONFIG: {"PCONFIG", whyPriv}, HLT: {"HLT", whyPriv},
	CLI: {"CLI", whyPriv}, STI: {"STI", whyPriv}, CLTS: {"CLTS", whyPriv}, INVD: {"INVD", whyPriv}, WBINVD: {"WBINVD", whyPriv},
	WBNOINVD: {"WBNOINVD", whyPriv}, INVLPG: {"INVLPG", whyPriv}, INVPCID: {"INVPCID", whyPriv}, LMSW: {"LMSW", whyPriv},
	LGDT: {"LGDT", whyPriv}, LIDT: {"LIDT", whyPriv}, LLDT: {"LLDT", whyPriv}, LTR: {"LTR", whyPriv}, LKGS: {"LKGS", whyPriv},
	MOVCR: {"MOV CR", whyPriv}, MOVDR: {"MOV DR", whyPriv}, RDMSR: {"RDMSR", whyPriv}, WRMSR: {"WRMSR", whyPriv},
	WRMSRNS: {"WRMSRNS", whyPriv}, RDMSRLIST: {"RDMSRLIST", whyPriv}, WRMSRLIST: {"WRMSRLIST", whyPriv},
	URDMSR: {"URDMSR", whyMSR}, UWRMSR: {"UWRMSR", whyMSR}, XSETBV: {"XSETBV", whyPriv}, XSAVES: {"XSAVES", whyPriv},
	XRSTORS: {"XRSTORS", whyPriv}, RSM: {"RSM", whyPriv}, MONITOR: {"MONITOR", whyPriv}, MWAIT: {"MWAIT", whyPriv},
	CLAC: {"CLAC", whyPriv}, STAC: {"STAC", whyPriv}, SWAPGS: {"SWAPGS", whyPriv}, ERETS: {"ERETS", whyPriv}, ERETU: {"ERETU", whyPriv},
	SETSSBSY: {"SETSSBSY", whyPriv}, CLRSSBSY: {"CLRSSBSY", whyPriv}, WRUSS: {"WRUSS", whyPriv},
	ENQCMDS: {"ENQCMDS", whyPriv}, LOADIWKEY: {"LOADIWKEY", whyPriv}, HRESET: {"HRESET", whyPriv},

	RDTSC: {"RDTSC", whyTime}, RDTSCP: {"RDTSCP", whyTime},
}

// String returns the manual's name.
func (op Op) String() string { return ops[min(op, numOps-1)].name }
