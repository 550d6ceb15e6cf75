package gobuild

import (
	"bytes"
	"fmt"

	"github.com/feidi-dev/feidi/internal/goabi"
)

// abiSource is the file of package runtime that says what goabi says: the
// protocol with the host and the table of system calls.
func abiSource() []byte {
	var b bytes.Buffer
	b.WriteString("// Code generated from package goabi. DO NOT EDIT.\n\n//go:build feidi\n\npackage runtime\n\nconst (\n")
	for _, c := range []struct {
		name  string
		value uint64
	}{
		{"ECallStart", goabi.ECallStart}, {"ECallThread", goabi.ECallThread}, {"OCallRequest", goabi.OCallRequest},
		{"OffOp", goabi.OffOp}, {"OffResult", goabi.OffResult}, {"OffArgs", goabi.OffArgs}, {"OffSignals", goabi.OffSignals},
		{"OffData", goabi.OffData}, {"DataSize", goabi.DataSize}, {"BlockSize", goabi.BlockSize}, {"MaxIO", goabi.MaxIO},
		{"OpPark", goabi.OpPark}, {"OpUnpark", goabi.OpUnpark}, {"OpSpawn", goabi.OpSpawn}, {"OpKick", goabi.OpKick},
		{"OpExit", goabi.OpExit}, {"OpSendMsg", goabi.OpSendMsg}, {"OpRecvMsg", goabi.OpRecvMsg}, {"OpPoll", goabi.OpPoll},
		{"OpEpollWait", goabi.OpEpollWait}, {"OpFcntl", goabi.OpFcntl}, {"OpIoctl", goabi.OpIoctl},
		{"OpNextCall", goabi.OpNextCall}, {"OpOCall", goabi.OpOCall}, {"OpOutside", goabi.OpOutside}, {"OpResume", goabi.OpResume}, {"OCallNested", goabi.OCallNested},
		{"MsgName", goabi.MsgName}, {"MsgNameMax", goabi.MsgNameMax}, {"MsgControl", goabi.MsgControl},
		{"MsgControlMax", goabi.MsgControlMax}, {"MsgData", goabi.MsgData}, {"MsgDataMax", goabi.MsgDataMax},
		{"BootMagicOff", goabi.BootMagicOff}, {"BootSize", goabi.BootSize}, {"BootBlocks", goabi.BootBlocks},
		{"BootCount", goabi.BootCount}, {"BootClock", goabi.BootClock}, {"BootCPUs", goabi.BootCPUs},
		{"BootArgs", goabi.BootArgs}, {"BootArgCount", goabi.BootArgCount}, {"BootEnv", goabi.BootEnv},
		{"BootEnvCount", goabi.BootEnvCount}, {"BootCPUID", goabi.BootCPUID}, {"BootCPUIDRows", goabi.BootCPUIDRows},
		{"BootBlock", goabi.BootBlock}, {"BootHeader", goabi.BootHeader}, {"BootMagic", goabi.BootMagic},
		{"MaxBoot", goabi.MaxBoot}, {"MaxCPUIDRows", goabi.MaxCPUIDRows}, {"MaxFD", goabi.MaxFD}, {"MaxPath", goabi.MaxPath},
		{"ClockSeq", goabi.ClockSeq}, {"ClockTSC", goabi.ClockTSC}, {"ClockMult", goabi.ClockMult},
		{"ClockMono", goabi.ClockMono}, {"ClockReal", goabi.ClockReal}, {"ClockSize", goabi.ClockSize},
		{"KindNone", uint64(goabi.None)}, {"KindScalar", uint64(goabi.Scalar)}, {"KindFD", uint64(goabi.FD)},
		{"KindDirFD", uint64(goabi.DirFD)}, {"KindPath", uint64(goabi.Path)}, {"KindIn", uint64(goabi.In)},
		{"KindOut", uint64(goabi.Out)}, {"KindLen", uint64(goabi.Len)}, {"KindInFixed", uint64(goabi.InFixed)},
		{"KindOutFixed", uint64(goabi.OutFixed)}, {"KindAddr", uint64(goabi.Addr)}, {"KindAddrLen", uint64(goabi.AddrLen)},
		{"ResultZero", uint64(goabi.Zero)}, {"ResultNumber", uint64(goabi.Number)}, {"ResultCount", uint64(goabi.Count)},
		{"ResultFD", uint64(goabi.NewFD)}, {"ResultPair", uint64(goabi.PairFD)},
	} {
		fmt.Fprintf(&b, "\tencl%s = %#x\n", c.name, c.value)
	}
	b.WriteString(")\n\nvar enclCalls = [...]enclCall{\n")
	for _, c := range goabi.Calls {
		var kinds [6]goabi.Kind
		var sizes [6]uint16
		for i, a := range c.Args {
			kinds[i], sizes[i] = a.Kind, a.Size
		}
		fmt.Fprintf(&b, "\t%d: {args: %d, result: %d, kind: [6]uint8{", c.Nr, len(c.Args), c.Result)
		for _, k := range kinds {
			fmt.Fprintf(&b, "%d, ", k)
		}
		fmt.Fprintf(&b, "}, size: [6]uint16{")
		for _, s := range sizes {
			fmt.Fprintf(&b, "%d, ", s)
		}
		fmt.Fprintf(&b, "}}, // %s\n", c.Name)
	}
	b.WriteString("}\n")
	return b.Bytes()
}
