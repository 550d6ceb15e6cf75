package cli

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign"
)

func (a *app) dump() *cobra.Command {
	f := &signFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "dump FILE",
		Short: "Show the metadata of a signed enclave",
		Long: `Dump shows the metadata blocks of a signed enclave: what its loader is told, the
layout, and the SIGSTRUCT. --dumpfile writes them as sgx_sign does, a name and
a value a line, for scripts; --cssfile writes the SIGSTRUCT alone. It checks
nothing: that is what ` + "`feidi inspect`" + ` is for.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi sign dump /tmp/feidi-demo/alice.signed.so
  feidi sign dump -enclave /tmp/feidi-demo/alice.signed.so -dumpfile - -cssfile /tmp/alice.sig`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.file(args); err != nil {
				return err
			}
			if err := f.check(cmd, "enclave"); err != nil {
				return err
			}
			if a.json && f.dumpFile == "-" {
				return usage("--json and --dumpfile - both want standard output")
			}
			b, err := readFile(string(f.enclave), maxFile, nil)
			if err != nil {
				return cannot(err)
			}
			blocks, err := image.Blocks(b)
			if err != nil {
				return cannot(fmt.Errorf("%s: %w", f.enclave, err))
			}
			if err := a.writeDump(f, blocks); err != nil {
				return err
			}
			return a.showDump(f, blocks)
		},
	})
	f.add(cmd, "enclave", "dumpfile", "cssfile")
	return cmd
}

// writeDump writes the files of --dumpfile and --cssfile.
func (a *app) writeDump(f *signFlags, blocks []*image.Metadata) error {
	if f.cssFile != "" {
		b, err := blocks[0].SigStruct.AppendBinary(nil)
		if err != nil {
			return cannot(err)
		}
		if err := writeBytes(string(f.cssFile), b); err != nil {
			return err
		}
	}
	switch b := appendDump(nil, blocks); f.dumpFile {
	case "":
		return nil
	case "-":
		if _, err := a.out.Write(b); err != nil {
			return cannot(err)
		}
		return nil
	default:
		return writeBytes(string(f.dumpFile), b)
	}
}

// dumpText is a dump file as sgx_sign writes it, which scripts read: its names
// of the fields in its order and lines, under titles of its heights.
type dumpText []byte

func appendDump(b []byte, blocks []*image.Metadata) []byte {
	d := dumpText(b)
	d.title("Metadata")
	d.block(blocks[0])
	for i, m := range blocks[1:] {
		if i == 0 {
			d.line("\n\n")
			d.title("Metadata for other loaders")
		}
		d.line(fmt.Sprintf("\nBlock %d:\n----------", i+1))
		d.block(m)
	}
	d.line("\n")
	d.title("MRSIGNER")
	mrsigner := sign.MRSigner(&blocks[0].SigStruct)
	d.array("mrsigner->value", mrsigner[:])
	return d
}

func (d *dumpText) line(s string) { *d = append(append(*d, s...), '\n') }

func (d *dumpText) title(s string) {
	rule := strings.Repeat("=", len(s))
	d.line(rule + "\n" + s + "\n" + rule)
}

// array writes sixteen bytes a line, each with a space after it.
func (d *dumpText) array(name string, v []byte) {
	d.line(name + ":")
	for row := range slices.Chunk(v, 16) {
		for _, c := range row {
			*d = fmt.Appendf(*d, "0x%02x ", c)
		}
		d.line("")
	}
}

func (d *dumpText) block(m *image.Metadata) {
	number := func(name string, v uint64) { d.line(fmt.Sprintf("metadata->%s: %#x", name, v)) }
	array := func(name string, v []byte) { d.array("metadata->"+name, v) }
	s := &m.SigStruct
	number("magic_num", image.MetadataMagic)
	number("version", m.Version)
	number("size", uint64(m.Size))
	number("tcs_policy", uint64(m.TCSPolicy))
	number("ssa_frame_size", uint64(m.SSAFrameSize))
	number("max_save_buffer_size", uint64(m.MaxSaveBufferSize))
	number("desired_misc_select", uint64(m.DesiredMiscSelect))
	number("enclave_size", m.EnclaveSize)
	number("attributes.flags", uint64(m.Attributes.Flags))
	number("attributes.xfrm", uint64(m.Attributes.XFRM))
	array("enclave_css.header.header", s.Header[:])
	number("enclave_css.header.type", uint64(s.Type))
	number("enclave_css.header.module_vendor", uint64(s.Vendor))
	number("enclave_css.header.date", uint64(s.Date))
	array("enclave_css.header.header2", s.Header2[:])
	number("enclave_css.header.hw_version", uint64(s.SWDefined))
	array("enclave_css.key.modulus", s.Modulus[:])
	array("enclave_css.key.exponent", binary.LittleEndian.AppendUint32(nil, s.Exponent))
	array("enclave_css.key.signature", s.Signature[:])
	number("enclave_css.body.misc_select", uint64(s.MiscSelect))
	number("enclave_css.body.misc_mask", uint64(s.MiscMask))
	number("enclave_css.body.attributes.flags", uint64(s.Attributes.Flags))
	number("enclave_css.body.attributes.xfrm", uint64(s.Attributes.XFRM))
	number("enclave_css.body.attribute_mask.flags", uint64(s.AttributeMask.Flags))
	number("enclave_css.body.attribute_mask.xfrm", uint64(s.AttributeMask.XFRM))
	array("enclave_css.body.enclave_hash.m", s.EnclaveHash[:])
	number("enclave_css.body.isv_prod_id", uint64(s.ISVProdID))
	number("enclave_css.body.isv_svn", uint64(s.ISVSVN))
	array("enclave_css.buffer.q1", s.Q1[:])
	array("enclave_css.buffer.q2", s.Q2[:])
}
