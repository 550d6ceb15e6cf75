package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/sign/config"
)

func TestTOMLValues(t *testing.T) {
	c, err := config.ParseTOML([]byte(`# a comment
prod_id = 0x10
"isv_svn" = "8"
heap_max_size = "64 MiB"
stack_max_size = "512KiB"
user_region_size = 4096
tcs_num = 1_0
tcs_policy = "bind"
enable_kss = true
provision_key = 1
isv_family_id_h = "0xFFEEDDCCBBAA9988"
elrange_size = 0x10000000
enclave_image_address = 0x20001000
elrange_start_address = 0x20000000
pkru = "loader"
amx = 1
misc_select = 1
`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.ProdID, want.ISVSVN = 16, 8
	want.HeapMaxSize, want.HeapInitSize, want.StackMaxSize, want.UserRegionSize = 64<<20, 64<<20, 512<<10, 4096
	want.TCSNum, want.TCSMaxNum, want.TCSUnbound = 10, 10, false
	want.EnableKSS, want.ProvisionKey = true, true
	want.ISVFamilyID = [16]byte{8: 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	want.ELRange = &config.ELRange{ImageAddress: 0x20001000, Start: 0x20000000, Size: 0x10000000}
	want.PKRU, want.AMX = config.FeatureLoader, config.FeatureOn
	want.MiscSelect = 1
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

func TestTOMLErrors(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"\nprod_id", "2:7: no TOML"},
		{"prod_id = 010", "1:11: no TOML"},
		{"prod_id = 1__0", "no TOML"},
		{"prod_id = 1\n  prod_id = 2", "2:3: prod_id: it is given on line 1 already: leave one out"},
		{"prodid = 1", "1:1: prodid: there is no such setting: write prod_id"},
		{"ProdID = 1", "write prod_id"},
		{"quux = 1", "1:1: quux: there is no such setting"},
		{"\"a\\nb\" = 1", "1:1: a b: there is no such setting"},
		{"a.b = 1", "1:1: a.b: settings are in no table: write a name without dots"},
		{"[sizes]\nheap_max_size = 1", "1:2: sizes: settings are in no table"},
		{"[[sizes]]", "settings are in no table"},
		{"prod_id = -1", "prod_id: -1 has a minus sign"},
		{"prod_id = 1.5", "prod_id: it is no value of this kind: write a number like 10"},
		{"prod_id = true", "write a number like 10"},
		{"prod_id = [1]", "write a number like 10"},
		{"prod_id = {a = 1}", "write a number like 10"},
		{"prod_id = 2026-01-02", "write a number like 10"},
		{`prod_id = "one"`, `"one" is no value of it: write a number like 10`},
		{`prod_id = "010"`, `"010" is no value of it`},
		{`prod_id = "0x"`, `"0x" is no value of it`},
		{`prod_id = "1KiB"`, `"1KiB" is no value of it`},
		{"prod_id = 65536", "65536 is out of range: write 0 to 65535"},
		{`heap_max_size = "64MB"`, `"64MB" is no value of it: write a size like "64KiB", "16MiB" or 4096`},
		{`heap_max_size = "-1MiB"`, `"-1MiB" is no value of it`},
		{`heap_max_size = "16777216TiB"`, `"16777216TiB" is out of range: a number has at most 64 bits`},
		{`heap_max_size = "18446744073709551616"`, "a number has at most 64 bits"},
		{`heap_max_size = "8388608TiB"`, `"8388608TiB" is out of range: write 0 to 9223372036854775807`},
		{"heap_max_size = 4097", `4097 is no multiple of the page size: write "4KiB" or "8KiB"`},
		{"stack_max_size = 1", `1 is out of range: write "8KiB" or more`},
		{"enable_kss = 2", "2 is out of range: write false or true"},
		{`enable_kss = "yes"`, `"yes" is no value of it: write false or true`},
		{`pkru = "maybe"`, `write "off", "on" or "loader"`},
		{"tcs_policy = 2", `2 is out of range: write "bind" or "unbind"`},
		{"misc_select = 0x100000000", "0x100000000 is out of range: write 0x0 to 0xffffffff"},
		{"isv_family_id_l = 1", "isv_family_id_l: these identifiers need key separation: write enable_kss true"},
		{"stack_min_size = \"1MiB\"", `stack_min_size "1MiB" is above stack_max_size "256KiB"`},
		{"hw = 1", "hw is for launch enclaves: leave it out, or write launch_key true"},
		{"elrange_start_address = 0", "elrange_start_address: it needs elrange_size"},
		{strings.Repeat("#", config.MaxFile+1), "more than 1048576 bytes"},
		{"prod_id = " + strings.Repeat("[", 1<<19), "its brackets nest too deep"},
		{"prod_id = " + strings.Repeat("{a=", 1000), "its brackets nest too deep"},
		{strings.Repeat("a.", 1<<18) + "b = 1", "settings are in no table"},
	} {
		got, err := config.ParseTOML([]byte(c.file))
		if err == nil {
			t.Errorf("%.80s: accepted as %+v", c.file, got)
			continue
		}
		var errs config.Errors
		if !errors.As(err, &errs) || !errors.Is(err, config.ErrInvalid) {
			t.Fatalf("%.80s: %T is no Errors", c.file, err)
		}
		if len(errs) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s:\n\tgot  %q (%d errors)\n\twant %q", c.file, err, len(errs), c.want)
		}
	}
}
