package config_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/sign/config"
)

func xmlOf(settings string) []byte {
	return []byte("<EnclaveConfiguration>\n" + settings + "\n</EnclaveConfiguration>\n")
}

func TestDefault(t *testing.T) {
	d := config.Default()
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	c, err := config.ParseXML(xmlOf(""))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*c, d) {
		t.Errorf("an empty file is %+v, not the default %+v", *c, d)
	}
}

func TestXMLValues(t *testing.T) {
	c, err := config.ParseXML([]byte("\uFEFF" + `<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- a -- comment ` + "\xE9" + ` -->
<EnclaveConfiguration xmlns="urn:x" version="1">
  <ProdID>0x10</ProdID><ISVSVN> 010</ISVSVN>
  <HeapMaxSize>+0x4000000</HeapMaxSize>
  <StackMaxSize>0X80000</StackMaxSize>
  <TCSNum>10</TCSNum> <TCSPolicy>0</TCSPolicy>
  <EnableKSS>1</EnableKSS>
  <ISVFAMILYID_H>0x1122334455667788</ISVFAMILYID_H><ISVFAMILYID_L>0x99aabbccddeeff00</ISVFAMILYID_L>
  <ELRangeSize>0x10000000</ELRangeSize><EnclaveImageAddress>0x20001000</EnclaveImageAddress>
  <ELRangeStartAddress>0x20000000</ELRangeStartAddress>
  <PKRU>2</PKRU><AMX>1</AMX><MiscSelect>1</MiscSelect><MiscMask>0xFFFFFFFE</MiscMask>
</EnclaveConfiguration>`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.ProdID, want.ISVSVN = 16, 8
	want.HeapMaxSize, want.HeapInitSize, want.StackMaxSize = 64<<20, 64<<20, 512<<10
	want.TCSNum, want.TCSMaxNum, want.TCSUnbound = 10, 10, false
	want.EnableKSS = true
	want.ISVFamilyID = [16]byte{0, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}
	want.ELRange = &config.ELRange{ImageAddress: 0x20001000, Start: 0x20000000, Size: 0x10000000}
	want.PKRU, want.AMX = config.FeatureLoader, config.FeatureOn
	want.MiscSelect, want.MiscMask = 1, 0xFFFFFFFE
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
	again, err := config.ParseXML(c.AppendXML(nil))
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("written and read again: %+v, %v", again, err)
	}
}

// TestXMLErrors has a case for every rule, with the place and the advice.
func TestXMLErrors(t *testing.T) {
	for _, c := range []struct{ settings, want string }{
		// Form.
		{`<ProdID></ProdID>`, "2:1: ProdID: it has no value: write <ProdID>0</ProdID>, or leave it out"},
		{`<ProdID> </ProdID>`, "2:1: ProdID: it has no value"},
		{`<ProdID/>`, "2:1: ProdID: it has no value"},
		{`<ProdId>1</ProdId>`, "2:1: ProdId: there is no such setting: write ProdID"},
		{`<heap_max_size>1</heap_max_size>`, "write HeapMaxSize"},
		{`<a:ProdID>1</a:ProdID>`, "a:ProdID: there is no such setting"},
		{`<Quux>1</Quux>`, "2:1: Quux: there is no such setting"},
		{"<ProdID>1</ProdID>\n <ProdID>1</ProdID>", "3:2: ProdID: it is given on line 2 already: leave one out"},
		{`<ProdID a="1">1</ProdID>`, `it has the attribute "a"`},
		{`<ProdID><x/>1</ProdID>`, "<x> is inside it"},
		{`<ProdID>1<!-- -->2</ProdID>`, "in pieces"},
		{`<ProdID><!-- -->2</ProdID>`, "ProdID: a comment is before its value"},
		{`text`, `1:23: text is between the elements: "text"`},
		{`<ProdID>1</ISVSVN>`, "no XML: element <ProdID> closed by </ISVSVN>"},
		{`<ProdID>1`, "no XML"},
		{`<!-- `, "no XML"},
		// Numbers.
		{`<ProdID>-1</ProdID>`, `"-1" has a minus sign`},
		{`<ProdID>1-</ProdID>`, `"1-" has a minus sign`},
		{`<ProdID>1 </ProdID>`, `nothing may follow it`},
		{`<ProdID>08</ProdID>`, `"08" is no number: with a 0 in front it is octal`},
		{`<ProdID>0x</ProdID>`, `"0x" is no number`},
		{`<ProdID>1_0</ProdID>`, `"1_0" is no number`},
		{`<ProdID>0b1</ProdID>`, `"0b1" is no number`},
		{`<ProdID>one</ProdID>`, `"one" is no number: write it like 4096, 0x1000 or 010000`},
		{`<HeapMaxSize>0x10000000000000000</HeapMaxSize>`, "a number has at most 64 bits"},
		// Ranges.
		{`<ProdID>65536</ProdID>`, "ProdID: 65536 is out of range: write 0 to 65535"},
		{`<ReleaseType>2</ReleaseType>`, "2 is out of range: write 0 or 1"},
		{`<HW>17</HW>`, "17 is out of range: write 0 to 16"},
		{`<TCSNum>0</TCSNum>`, "0 is out of range: write 1 or more"},
		{`<TCSNum>4294967296</TCSNum>`, "write 1 to 4294967295"},
		{`<TCSPolicy>2</TCSPolicy>`, "write 0 or 1"},
		{`<StackMaxSize>0x1000</StackMaxSize>`, "0x1000 is out of range: write 0x2000 or more"},
		{`<HeapMaxSize>0x8000000000000000</HeapMaxSize>`, "write 0x0 to 0x7fffffffffffffff"},
		{`<MiscSelect>0x100000000</MiscSelect>`, "write 0x0 to 0xffffffff"},
		{`<EnclaveImageAddress>0xfff</EnclaveImageAddress>`, "write 0x1000 or more"},
		{`<ELRangeSize>0</ELRangeSize>`, "write 0x1000 or more"},
		{`<PKRU>3</PKRU>`, "write 0 to 2"},
		{`<AMX>3</AMX>`, "write 0 to 2"},
		// Pages.
		{`<StackMaxSize>0x2001</StackMaxSize>`, "0x2001 is no multiple of the page size: write 0x2000 or 0x3000"},
		{`<HeapMaxSize>0x1800</HeapMaxSize>`, "write 0x1000 or 0x2000"},
		{`<ReservedMemMaxSize>1</ReservedMemMaxSize>`, "write 0x0 or 0x1000"},
		{`<UserRegionSize>1</UserRegionSize>`, "write 0x0 or 0x1000"},
		// Rules.
		{`<StackMinSize>0x80000</StackMinSize>`, "StackMinSize: StackMinSize 0x80000 is above StackMaxSize 0x40000"},
		{`<StackMaxSize>0x2000</StackMaxSize><StackMinSize>0x3000</StackMinSize>`, "2:36: StackMinSize: StackMinSize 0x3000 is above StackMaxSize 0x2000: write 0x2000 or less, or raise StackMaxSize"},
		{`<HeapMaxSize>0</HeapMaxSize>`, "HeapMaxSize: HeapMinSize 0x1000 is above HeapMaxSize 0x0: write 0x0 or less, or raise HeapMaxSize"},
		{`<HeapInitSize>0</HeapInitSize>`, "HeapMinSize 0x1000 is above HeapInitSize 0x0"},
		{`<HeapInitSize>0x2000000</HeapInitSize>`, "HeapInitSize 0x2000000 is above HeapMaxSize 0x1000000"},
		{`<ReservedMemMinSize>0x1000</ReservedMemMinSize>`, "is above ReservedMemMaxSize 0x0"},
		{`<ReservedMemInitSize>0x1000</ReservedMemInitSize>`, "is above ReservedMemMaxSize 0x0"},
		{`<TCSNum>4</TCSNum><TCSMaxNum>3</TCSMaxNum>`, "TCSNum 4 is above TCSMaxNum 3"},
		{`<TCSNum>4</TCSNum><TCSMinPool>5</TCSMinPool>`, "TCSMinPool 5 is above TCSMaxNum 4"},
		{`<HW>1</HW>`, "HW is for launch enclaves: leave it out, or write LaunchKey 1"},
		{`<LaunchKey>1</LaunchKey>`, "LaunchKey is for launch enclaves, which have HW: leave it out, or write HW 1 to 16"},
		{`<ISVFAMILYID_L>1</ISVFAMILYID_L>`, "ISVFAMILYID_L: these identifiers need key separation: write EnableKSS 1"},
		{`<EnableIPPFIPS>1</EnableIPPFIPS><EnableOSSLFIPS>1</EnableOSSLFIPS>`, "exclude each other"},
		{`<UserRegionSize>0x1000</UserRegionSize>`, "UserRegionSize: a user region needs SGX2: set bit 0 of MiscSelect and of MiscMask"},
		{`<UserRegionSize>0x1000</UserRegionSize><MiscSelect>1</MiscSelect><MiscMask>0</MiscMask>`, "needs SGX2"},
		{`<EnclaveImageAddress>0x1000</EnclaveImageAddress>`, "EnclaveImageAddress: it needs ELRangeSize"},
		{`<ELRangeStartAddress>0</ELRangeStartAddress>`, "ELRangeStartAddress: it needs ELRangeSize"},
		{`<ELRangeSize>0x3000</ELRangeSize>`, "0x3000 is no power of two: write 0x2000 or 0x4000"},
		{`<ELRangeSize>0xc000000000000000</ELRangeSize>`, "write 0x8000000000000000"},
		{`<ELRangeSize>0x10000</ELRangeSize><EnclaveImageAddress>0x1001</EnclaveImageAddress>`, "0x1001 is no multiple of the page size: write 0x1000"},
		{`<ELRangeSize>0x10000</ELRangeSize><ELRangeStartAddress>0x10000</ELRangeStartAddress>`, "the image lies before the range: write EnclaveImageAddress 0x10000 or more"},
		{`<ELRangeSize>0x10000</ELRangeSize><ELRangeStartAddress>0x1000</ELRangeStartAddress><EnclaveImageAddress>0x10000</EnclaveImageAddress>`, "0x1000 is no multiple of ELRangeSize: write 0x0"},
		{`<ELRangeSize>0x10000</ELRangeSize><ELRangeStartAddress>0xFFFFFFFFFFFF0000</ELRangeStartAddress><EnclaveImageAddress>0xFFFFFFFFFFFF0000</EnclaveImageAddress>`, "does not end below 2^64"},
	} {
		got, err := config.ParseXML(xmlOf(c.settings))
		if err == nil {
			t.Errorf("%s: accepted as %+v", c.settings, got)
			continue
		}
		var errs config.Errors
		if !errors.As(err, &errs) || !errors.Is(err, config.ErrInvalid) {
			t.Fatalf("%s: %T is no Errors", c.settings, err)
		}
		if len(errs) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n\tgot  %q (%d errors)\n\twant %q", c.settings, err, len(errs), c.want)
		}
	}
}

func TestXMLRoot(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "1:1: the file has no <EnclaveConfiguration>"},
		{`<a:EnclaveConfiguration/>`, "the root element is <EnclaveConfiguration>"},
		{"<Enclave/>", "1:1: Enclave: the root element is <EnclaveConfiguration>"},
		{"<EnclaveConfiguration/>\n<EnclaveConfiguration/>", "2:1: EnclaveConfiguration: a file has one"},
		{"<EnclaveConfiguration/>x", "text is between"},
		{"\x7fELF\x02", "1:"},
		{strings.Repeat(" ", config.MaxFile+1), "more than 1048576 bytes"},
	} {
		_, err := config.ParseXML([]byte(c.file))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.file, err, c.want)
		}
	}
}

// All errors are told, in the file's order, and up to a limit.
func TestErrorsAreCollected(t *testing.T) {
	_, err := config.ParseXML(xmlOf("<HW>99</HW>\n<HeapMaxSize>1</HeapMaxSize>\n<LaunchKey>1</LaunchKey>\n<Nothing>1</Nothing>"))
	var errs config.Errors
	if !errors.As(err, &errs) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range errs {
		got = append(got, fmt.Sprintf("%d %s", e.Line, e.Key))
	}
	if want := "[2 HW 3 HeapMaxSize 5 Nothing]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if !strings.HasSuffix(err.Error(), " (and 2 more)") {
		t.Error(err)
	}
	_, err = config.ParseXML(xmlOf(strings.Repeat("<x>1</x>", 1000)))
	if errors.As(err, &errs); len(errs) != 50 {
		t.Errorf("%d errors", len(errs))
	}
}

func TestValidateValues(t *testing.T) {
	for _, c := range []struct {
		edit func(*config.Config)
		want string
	}{
		{func(c *config.Config) { c.TCSNum = 0 }, "TCSNum: 0 is out of range"},
		{func(c *config.Config) { c.PKRU = 3 }, "PKRU: 3 is out of range"},
		{func(c *config.Config) { c.ELRange = &config.ELRange{} }, "ELRangeSize: 0x0 is out of range"},
		{func(c *config.Config) { c.HeapMaxSize = 1 << 63 }, "HeapMaxSize: 0x8000000000000000 is out of range"},
	} {
		d := config.Default()
		c.edit(&d)
		if err := d.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestMetadata(t *testing.T) {
	fixed := func(c *config.Config) {
		c.StackMinSize, c.HeapMinSize = c.StackMaxSize, c.HeapMaxSize
	}
	for _, c := range []struct {
		name       string
		edit       func(*config.Config)
		sgx1, sgx2 bool
		note       string
	}{
		{"default", func(*config.Config) {}, true, false, "full size"},
		{"fixed", fixed, true, false, ""},
		{"fixed, EXINFO", func(c *config.Config) { fixed(c); c.MiscSelect = 1 }, true, false, "demand EXINFO"},
		{"SGX2 only", func(c *config.Config) { c.MiscSelect = 1 }, false, true, "no older"},
		{"both", func(c *config.Config) { c.MiscSelect, c.MiscMask = 1, 0xFFFFFFFE }, true, true, "on SGX2 only"},
		{"user region", func(c *config.Config) { fixed(c); c.UserRegionSize, c.MiscSelect = 4096, 1 }, false, true, "UserRegionSize"},
		{"threads", func(c *config.Config) { fixed(c); c.TCSMaxNum, c.MiscSelect = 2, 1 }, false, true, "grows"},
		// One idle thread is kept of three: the others come and go.
		{"pool", func(c *config.Config) { fixed(c); c.TCSNum, c.TCSMaxNum, c.MiscSelect = 3, 3, 1 }, false, true, "grows"},
		{"whole pool", func(c *config.Config) { fixed(c); c.TCSNum, c.TCSMaxNum, c.TCSMinPool = 3, 3, 2 }, true, false, ""},
	} {
		d := config.Default()
		c.edit(&d)
		sgx1, sgx2, note := d.Metadata()
		if sgx1 != c.sgx1 || sgx2 != c.sgx2 || !strings.Contains(note, c.note) || c.note == "" && note != "" {
			t.Errorf("%s: %v, %v, %q", c.name, sgx1, sgx2, note)
		}
	}
}

// samples are valid configurations with every kind of value.
func samples() []config.Config {
	d := config.Default()
	full := config.Config{
		ProdID: 0xFFFF, ISVSVN: 1, ReleaseType: true, IntelSigned: true, ProvisionKey: true, LaunchKey: true, DisableDebug: true, HW: 16,
		TCSNum: 2, TCSMaxNum: 1<<32 - 1, TCSMinPool: 1<<32 - 1,
		StackMinSize: 0x3000, StackMaxSize: 1<<63 - 4096, HeapMinSize: 0, HeapInitSize: 4096, HeapMaxSize: 5 << 40,
		ReservedMemMinSize: 4096, ReservedMemInitSize: 1 << 20, ReservedMemMaxSize: 3 << 30, ReservedMemExecutable: true, UserRegionSize: 1 << 40,
		MiscSelect: 0x80000001, MiscMask: 0xFFFFFFFF, EnableKSS: true,
		ISVFamilyID:  [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFF},
		ISVExtProdID: [16]byte{15: 0x7F},
		ELRange:      &config.ELRange{ImageAddress: 0xFFFFFFFFFFFF0000, Start: 0x8000000000000000, Size: 1 << 62},
		PKRU:         config.FeatureOn, AMX: config.FeatureLoader, EnableAEXNotify: true, EnableOSSLFIPS: true,
	}
	low := config.Default()
	low.ELRange = &config.ELRange{Size: 1 << 40}
	low.TCSNum, low.TCSMaxNum, low.EnableIPPFIPS = 7, 7, true
	return []config.Config{d, full, low}
}

func TestRoundTrip(t *testing.T) {
	for i, c := range samples() {
		if err := c.Validate(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		roundTrip(t, &c)
	}
}

// roundTrip writes c in both formats, and reads it back.
func roundTrip(t *testing.T, c *config.Config) {
	t.Helper()
	for _, format := range []struct {
		name  string
		write func(*config.Config, []byte) []byte
		read  func([]byte) (*config.Config, error)
	}{
		{"XML", (*config.Config).AppendXML, config.ParseXML},
		{"TOML", (*config.Config).AppendTOML, config.ParseTOML},
	} {
		b := format.write(c, []byte("\n"))
		got, err := format.read(b)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %v\n%s\ngot  %+v\nwant %+v", format.name, err, b, got, c)
		}
	}
}

// Every setting stands in a written file, also one that is a comment there, in
// a form that is read, and the defaults that are shown are the defaults.
func TestEverySetting(t *testing.T) {
	d := config.Default()
	for _, c := range []struct {
		file  string
		read  func([]byte) (*config.Config, error)
		lines string // around one setting
	}{
		{string(d.AppendXML(nil)), config.ParseXML, "<EnclaveConfiguration>\n%s\n</EnclaveConfiguration>"},
		{string(d.AppendTOML(nil)), config.ParseTOML, "%s"},
	} {
		var settings int
		for line := range strings.Lines(c.file) {
			line = strings.Trim(line, " \n")
			line = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- <"), " -->")
			switch {
			case strings.HasPrefix(line, "# ") && strings.Contains(line, " = "):
				line = line[2:]
			case strings.Contains(line, "</") && !strings.HasPrefix(line, "<"):
				line = "<" + line
			case strings.HasPrefix(line, "<!--"), strings.HasPrefix(line, "#"), strings.Contains(line, "EnclaveConfiguration"):
				continue
			}
			settings++
			got, err := c.read([]byte(fmt.Sprintf(c.lines, line)))
			if strings.Contains(strings.ToLower(line), "address") {
				if err == nil {
					t.Errorf("%s: accepted without a range", line)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			got.ELRange = nil
			if !reflect.DeepEqual(*got, d) {
				t.Errorf("%s: the default changes the configuration", line)
			}
		}
		if settings != 37 {
			t.Errorf("%d settings in a file, want 37:\n%s", settings, c.file)
		}
	}
}
