package sdk_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

func lay(t testing.TB, file []byte, c config.Config, o sdk.Options) *sdk.Unsigned {
	t.Helper()
	u, err := sdk.Lay(file, &c, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func write(t testing.TB, u *sdk.Unsigned) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := u.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes of %d, error %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func signedFile(t testing.TB, file []byte, c config.Config) []byte {
	t.Helper()
	u := lay(t, file, c, sdk.Options{Date: day, Resign: true})
	if err := u.Sign(testKey()); err != nil {
		t.Fatal(err)
	}
	return write(t, u)
}

// with returns the default configuration, changed.
func with(change func(*config.Config)) config.Config {
	c := config.Default()
	if change != nil {
		change(&c)
	}
	return c
}

func dynamic(c *config.Config) { c.MiscSelect, c.MiscMask = 1, 0xFFFFFFFE }

// configurations use every setting.
var configurations = map[string]func(*config.Config){
	"default":     nil,
	"identity":    func(c *config.Config) { c.ProdID, c.ISVSVN = 7, 18 },
	"intel":       func(c *config.Config) { c.IntelSigned, c.ProvisionKey, c.DisableDebug = true, true, true },
	"launch":      func(c *config.Config) { c.LaunchKey, c.HW = true, 3 },
	"threads":     func(c *config.Config) { c.TCSNum, c.TCSMaxNum = 10, 10 },
	"no pool":     func(c *config.Config) { c.TCSNum, c.TCSMaxNum, c.TCSMinPool = 10, 10, 0 },
	"all pooled":  func(c *config.Config) { c.TCSNum, c.TCSMaxNum, c.TCSMinPool = 10, 10, 10 },
	"bind":        func(c *config.Config) { c.TCSUnbound = false },
	"stack":       func(c *config.Config) { c.StackMinSize, c.StackMaxSize = 0x4000, 0x80000 },
	"equal stack": func(c *config.Config) { c.StackMinSize, c.StackMaxSize = 0x8000, 0x8000 },
	"heap":        func(c *config.Config) { c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0x2000, 0x100000, 0x200000 },
	"no heap":     func(c *config.Config) { c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0, 0, 0 },
	"reserved": func(c *config.Config) {
		c.ReservedMemMinSize, c.ReservedMemInitSize, c.ReservedMemMaxSize = 0x10000, 0x20000, 0x40000
	},
	"code memory": func(c *config.Config) {
		c.ReservedMemInitSize, c.ReservedMemMaxSize, c.ReservedMemExecutable = 0x40000, 0x40000, true
	},
	"reserved end": func(c *config.Config) {
		c.TCSNum, c.TCSMaxNum, c.ReservedMemInitSize, c.ReservedMemMaxSize = 3, 3, 0x1000, 0x40000
	},
	"exinfo": func(c *config.Config) { c.MiscSelect = 1 },
	"both":   dynamic,
	"dynamic": func(c *config.Config) {
		dynamic(c)
		c.TCSNum, c.TCSMaxNum, c.TCSMinPool, c.HeapInitSize, c.HeapMaxSize = 10, 20, 3, 0x100000, 0x400000
		c.ReservedMemMinSize, c.ReservedMemInitSize, c.ReservedMemMaxSize = 0x10000, 0x20000, 0x40000
	},
	"both, reserved": func(c *config.Config) { dynamic(c); c.ReservedMemInitSize, c.ReservedMemMaxSize = 0x20000, 0x40000 },
	"static": func(c *config.Config) {
		c.StackMinSize, c.StackMaxSize, c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0x8000, 0x8000, 0x10000, 0x10000, 0x10000
		c.MiscSelect = 1
	},
	"key separation": func(c *config.Config) {
		c.EnableKSS, c.ISVFamilyID, c.ISVExtProdID = true, [16]byte{1, 15: 2}, [16]byte{3, 15: 4}
	},
	"range": func(c *config.Config) {
		c.ELRange = &config.ELRange{ImageAddress: 1 << 32, Start: 1 << 32, Size: 1 << 28}
	},
	"range ahead": func(c *config.Config) {
		dynamic(c)
		c.ELRange = &config.ELRange{ImageAddress: 1<<32 + 1<<20, Start: 1 << 32, Size: 1 << 28}
	},
	"PKRU": func(c *config.Config) { c.PKRU = config.FeatureOn },
	"AMX":  func(c *config.Config) { c.AMX = config.FeatureOn },
	"AMX allowed": func(c *config.Config) {
		c.AMX, c.PKRU, c.TCSNum, c.TCSMaxNum = config.FeatureLoader, config.FeatureLoader, 3, 3
	},
	"user region": func(c *config.Config) { c.UserRegionSize, c.MiscSelect = 1<<20, 1 },
	"AEX-Notify":  func(c *config.Config) { c.EnableAEXNotify = true },
	"FIPS":        func(c *config.Config) { c.EnableIPPFIPS = true },
	"FIPS, both":  func(c *config.Config) { dynamic(c); c.EnableIPPFIPS, c.TCSNum, c.TCSMaxNum = true, 3, 3 },
}

// TestSign signs with every setting. The result is judged by the packages
// that read, measure and verify enclaves, each metadata block by itself.
func TestSign(t *testing.T) {
	file := unsigned(t)
	for name, change := range configurations {
		t.Run(name, func(t *testing.T) {
			c := with(change)
			u := lay(t, file, c, sdk.Options{Date: day})
			if err := u.Sign(testKey()); err != nil {
				t.Fatal(err)
			}
			out := write(t, u)
			if len(out) != len(file) {
				t.Fatalf("%d bytes became %d", len(file), len(out))
			}
			for _, opts := range [][]image.Option{nil, {image.WithEDMM()}} {
				m, err := image.Parse(out, opts...)
				if err != nil {
					t.Fatal(err)
				}
				if err := sign.Verify(m.SigStruct); err != nil {
					t.Fatal(err)
				}
				if *m.SigStruct != *u.SigStruct() {
					t.Error("the file has another SIGSTRUCT")
				}
				if got := measure.Image(m); got != m.SigStruct.EnclaveHash {
					t.Errorf("metadata %x measures %x, signed is %x", m.Version, got, m.SigStruct.EnclaveHash)
				}
				var pages uint64
				for _, r := range m.Runs {
					pages += r.Pages
				}
				if pages*isa.PageSize != u.Memory() {
					t.Errorf("%d pages, Memory says %#x bytes", pages, u.Memory())
				}
				if m.ThreadPolicy == image.PolicyUnbind != c.TCSUnbound || len(m.Threads) != int(c.TCSNum) && len(m.Threads) != int(min(c.TCSNum-1, c.TCSMinPool)+1) {
					t.Errorf("policy %d, %d threads", m.ThreadPolicy, len(m.Threads))
				}
			}
			s := u.SigStruct()
			if s.ISVProdID != c.ProdID || s.ISVSVN != c.ISVSVN || s.SWDefined != c.HW || s.Date != 0x20261124 ||
				s.ISVFamilyID != c.ISVFamilyID || s.ISVExtProdID != c.ISVExtProdID || (s.Vendor == isa.VendorIntel) != c.IntelSigned {
				t.Errorf("SIGSTRUCT %+v", s)
			}
			for flag, on := range map[isa.AttributeFlags]bool{
				isa.AttrMode64Bit: true, isa.AttrDebug: false, isa.AttrProvisionKey: c.ProvisionKey,
				isa.AttrEinitTokenKey: c.LaunchKey, isa.AttrKSS: c.EnableKSS, isa.AttrAEXNotify: c.EnableAEXNotify,
			} {
				if s.Attributes.Flags&flag != 0 != on || flag != isa.AttrDebug && s.AttributeMask.Flags&flag == 0 {
					t.Errorf("attribute %#x is %#x of mask %#x", flag, s.Attributes.Flags, s.AttributeMask.Flags)
				}
			}
			if s.AttributeMask.Flags&isa.AttrDebug != 0 != c.DisableDebug {
				t.Errorf("mask %#x, DisableDebug %t", s.AttributeMask.Flags, c.DisableDebug)
			}
			if again := signedFile(t, file, c); !bytes.Equal(again, out) {
				t.Error("signing again gives another file")
			}
			if again := signedFile(t, out, c); !bytes.Equal(again, out) {
				t.Error("signing what is signed gives another file")
			}
		})
	}
}

// TestXFRM has what PKRU and AMX demand, and the size of the save area that
// follows.
func TestXFRM(t *testing.T) {
	const off, on, loader = config.FeatureOff, config.FeatureOn, config.FeatureLoader
	for _, c := range []struct {
		pkru, amx        config.Feature
		xfrm, mask, most isa.XFRM
		save, frame      uint32 // bytes, pages
	}{
		{off, off, 3, 0xFFFFFFFFFFFFFF1B, 0xE7, 2688, 1},
		{on, off, 0x203, 0xFFFFFFFFFFFFFF1B, 0x2E7, 2752, 1},
		{loader, off, 3, 0xFFFFFFFFFFFFFD1B, 0x2E7, 2752, 1},
		{off, on, 0x60003, 0xFFFFFFFFFFFFFF1B, 0x600E7, 11008, 3},
		{off, loader, 3, 0xFFFFFFFFFFF9FF1B, 0x600E7, 11008, 3},
		{on, loader, 0x203, 0xFFFFFFFFFFF9FF1B, 0x602E7, 11008, 3},
	} {
		u := lay(t, unsigned(t), with(func(d *config.Config) { d.PKRU, d.AMX = c.pkru, c.amx }), sdk.Options{})
		s, m := u.SigStruct(), u.Metadata()[0]
		if s.Attributes.XFRM != c.xfrm || s.AttributeMask.XFRM != c.mask || m.Attributes.XFRM != c.most {
			t.Errorf("PKRU %d, AMX %d: XFRM %#x, mask %#x, metadata %#x", c.pkru, c.amx, s.Attributes.XFRM, s.AttributeMask.XFRM, m.Attributes.XFRM)
		}
		if m.MaxSaveBufferSize != c.save || m.SSAFrameSize != c.frame {
			t.Errorf("PKRU %d, AMX %d: %d bytes, %d pages", c.pkru, c.amx, m.MaxSaveBufferSize, m.SSAFrameSize)
		}
	}
}

// TestTwoSteps signs the data outside, as a hardware token would.
func TestTwoSteps(t *testing.T) {
	file := unsigned(t)
	c := with(func(c *config.Config) { c.ProdID, c.TCSNum, c.TCSMaxNum = 1, 3, 3 })
	data := lay(t, file, c, sdk.Options{Date: day}).GenData()
	digest := sha256.Sum256(data)
	sig, err := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	later := sdk.Options{Date: day.AddDate(1, 2, 3)}
	u := lay(t, file, c, later)
	if err := u.Attach(&testKey().PublicKey, data, sig); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(write(t, u), signedFile(t, file, c)) {
		t.Error("two steps and one give different files")
	}

	u = lay(t, file, c, later)
	for _, w := range []struct {
		what string
		do   func() error
		want error
	}{
		{"short data", func() error { return u.Attach(&testKey().PublicKey, data[1:], sig) }, sdk.ErrData},
		{"another ISVSVN", func() error {
			d := bytes.Clone(data)
			d[255]++
			return u.Attach(&testKey().PublicKey, d, sig)
		}, sdk.ErrData},
		{"another date than was signed", func() error {
			d := bytes.Clone(data)
			d[20]++
			return u.Attach(&testKey().PublicKey, d, sig)
		}, isa.ErrInvalidSignature},
		{"a signature cut short", func() error { return u.Attach(&testKey().PublicKey, data, sig[1:]) }, isa.ErrInvalidSignature},
		{"another signature", func() error {
			s := bytes.Clone(sig)
			s[100] ^= 1
			return u.Attach(&testKey().PublicKey, data, s)
		}, isa.ErrInvalidSignature},
		{"another exponent", func() error {
			return u.Attach(&rsa.PublicKey{N: testKey().N, E: 65537}, data, sig)
		}, sign.ErrKey},
		{"nothing", func() error { _, err := u.WriteTo(new(bytes.Buffer)); return err }, sdk.ErrUnsigned},
	} {
		if err := w.do(); !errors.Is(err, w.want) {
			t.Errorf("%s: %v, want %v", w.what, err, w.want)
		}
	}
}

func TestLayoutErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   uint64 // of g_global_data
		minor  uint64 // release 2.minor
		change func(*config.Config)
		want   error
		text   string
	}{
		{"invalid", 1768, 26, func(c *config.Config) { c.StackMinSize++ }, config.ErrInvalid, "StackMinSize"},
		{"KSS", 1488, 0, func(c *config.Config) { c.EnableKSS = true }, nil, ""},
		{"reserved", 1488, 0, func(c *config.Config) { c.ReservedMemInitSize, c.ReservedMemMaxSize = 4096, 4096 }, sdk.ErrLayout, "needs SDK 2.6"},
		{"code memory", 1632, 0, func(c *config.Config) {
			c.ReservedMemExecutable, c.ReservedMemInitSize, c.ReservedMemMaxSize = true, 4096, 4096
		}, sdk.ErrLayout, "needs SDK 2.8"},
		{"range", 1656, 13, func(c *config.Config) {
			c.ELRange = &config.ELRange{ImageAddress: 1 << 32, Start: 1 << 32, Size: 1 << 28}
		}, sdk.ErrLayout, "needs SDK 2.14"},
		{"PKRU", 1680, 15, func(c *config.Config) { c.PKRU = config.FeatureOn }, sdk.ErrLayout, "needs SDK 2.16"},
		{"AMX", 1688, 17, func(c *config.Config) { c.AMX = config.FeatureLoader }, sdk.ErrLayout, "needs SDK 2.18"},
		{"user region", 1688, 17, func(c *config.Config) { c.UserRegionSize, c.MiscSelect = 4096, 1 }, sdk.ErrLayout, "needs SDK 2.18"},
		{"AEX-Notify", 1720, 19, func(c *config.Config) { c.EnableAEXNotify = true }, sdk.ErrLayout, "needs SDK 2.20"},
		{"IPP FIPS", 1760, 24, func(c *config.Config) { c.EnableIPPFIPS = true }, sdk.ErrLayout, "needs SDK 2.25"},
		{"OpenSSL FIPS", 1768, 25, func(c *config.Config) { c.EnableOSSLFIPS = true }, sdk.ErrLayout, "needs SDK 2.26"},
		{"no FIPS module", 1768, 26, func(c *config.Config) { c.EnableOSSLFIPS = true }, sdk.ErrLayout, "lib64/fips.so"},
		{"too many threads", 1768, 26, func(c *config.Config) { c.TCSNum, c.TCSMaxNum = 1<<32-1, 1<<32-1 }, sdk.ErrLayout, "threads"},
		{"beyond the address space", 1768, 26, func(c *config.Config) { c.HeapInitSize, c.HeapMaxSize = 0, 1<<63-4096; c.HeapMinSize = 0 }, sdk.ErrLayout, "HeapMaxSize"},
		{"more than fits", 1768, 26, func(c *config.Config) {
			c.HeapMaxSize = 1 << 43
			c.TCSNum, c.TCSMaxNum, c.StackMaxSize = 100, 100, 1<<43
		}, sdk.ErrLayout, "exceeds"},
		{"more than memory", 1768, 26, func(c *config.Config) { c.HeapInitSize, c.HeapMaxSize = 1<<41, 1<<41 }, sdk.ErrLayout, "limit of 32768"},
		{"more than is measured", 1768, 26, func(c *config.Config) { c.StackMaxSize = 1 << 37 }, sdk.ErrLayout, "the measurement covers 165"},
		{"range too short", 1768, 26, func(c *config.Config) {
			c.ELRange = &config.ELRange{ImageAddress: 1 << 32, Start: 1 << 32, Size: 1 << 20}
		}, sdk.ErrLayout, "ELRangeSize"},
		{"range too late", 1768, 26, func(c *config.Config) {
			c.ELRange = &config.ELRange{ImageAddress: 1<<32 + 0xFF00000, Start: 1 << 32, Size: 1 << 28}
		}, sdk.ErrLayout, "ELRangeSize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := edit(t, unsigned(t))
			o.release(c.size, 2, c.minor, 100)
			d := with(c.change)
			_, err := sdk.Lay(o.Bytes, &d, sdk.Options{})
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.text)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	for _, c := range []struct {
		change func(*config.Config)
		want   []string
	}{
		{nil, []string{"MiscSelect 1", "KiB"}},
		{func(c *config.Config) { c.MiscSelect = 1 }, []string{"no older processor", "KiB"}},
		{func(c *config.Config) { c.ReleaseType = true }, []string{"MiscSelect", "EINIT", "KiB"}},
	} {
		notes := lay(t, unsigned(t), with(c.change), sdk.Options{}).Notes()
		if len(notes) != len(c.want) {
			t.Fatalf("notes %q", notes)
		}
		for i, n := range notes {
			if !strings.Contains(n, c.want[i]) {
				t.Errorf("note %q, want %q in it", n, c.want[i])
			}
		}
	}
}

// TestDebugRelease has the type that no processor accepts, as the signing
// tool writes it.
func TestDebugRelease(t *testing.T) {
	u := lay(t, unsigned(t), with(func(c *config.Config) { c.ReleaseType = true }), sdk.Options{})
	if err := u.Sign(testKey()); err != nil {
		t.Fatal(err)
	}
	if s := u.SigStruct(); s.Type != isa.SigStructDebug || !errors.Is(sign.Verify(s), isa.ErrInvalidSigStruct) {
		t.Errorf("type %#x, verified with %v", s.Type, sign.Verify(s))
	}
}

func ExampleLay() {
	c := config.Default()
	_, err := sdk.Lay([]byte("no enclave"), &c, sdk.Options{Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	fmt.Println(err)
	// Output: sdk: not an enclave that can be signed: ELF header is cut short: 10 bytes (at offset 0x0)
}
