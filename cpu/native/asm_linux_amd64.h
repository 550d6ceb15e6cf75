// Offsets of cpu.Regs, which begins a context. Asserted by
// context_linux_amd64_test.go.
#define REG_RAX 0
#define REG_RCX 8
#define REG_RDX 16
#define REG_RBX 24
#define REG_RSP 32
#define REG_RBP 40
#define REG_RSI 48
#define REG_RDI 56
#define REG_R8 64
#define REG_R9 72
#define REG_R10 80
#define REG_R11 88
#define REG_R12 96
#define REG_R13 104
#define REG_R14 112
#define REG_R15 120
#define REG_RFLAGS 128
#define REG_RIP 136
#define REG_FS 144
#define REG_GS 152

// Offsets of a Linux ucontext's registers.
#define UC_R8 0x28
#define UC_R9 0x30
#define UC_R10 0x38
#define UC_R11 0x40
#define UC_R12 0x48
#define UC_R13 0x50
#define UC_R14 0x58
#define UC_R15 0x60
#define UC_RDI 0x68
#define UC_RSI 0x70
#define UC_RBP 0x78
#define UC_RBX 0x80
#define UC_RDX 0x88
#define UC_RAX 0x90
#define UC_RCX 0x98
#define UC_RSP 0xA0
#define UC_RIP 0xA8
#define UC_EFL 0xB0
#define UC_CS 0xB8
#define UC_ERR 0xC0
#define UC_TRAPNO 0xC8
#define UC_CR2 0xD8

#define SYS_arch_prctl 158
#define SYS_gettid 186
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

// DF, NT and AC: Go does not expect the first and the last, IRETQ the second.
#define FLAGS_UNWELCOME 0x44400
