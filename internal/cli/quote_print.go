package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// show shows a quote for people.
func (s *shownQuote) show(a *app) {
	a.printf("%s: a quote of %s, version %d. Nothing of it is verified.\n", inputName(s.File), s.TEE, s.Version)
	section := func(title string, fill func(add func(name, value string))) {
		a.printf("%s\n", title)
		var t table
		fill(func(name, value string) { t.add(name, value) })
		t.write(a, "  ")
	}
	section("Header", func(add func(name, value string)) {
		size := fmt.Sprintf("%d bytes", s.Size)
		if s.Padding > 0 {
			size += ", and " + count(s.Padding, "zero byte") + " of padding"
		}
		add("Size", size)
		add("Attestation key", fmt.Sprintf("type %d, ECDSA with P-256", s.AttestationKeyType))
		if s.QESVN != nil {
			add("QE SVN", fmt.Sprint(*s.QESVN))
			add("PCE SVN", fmt.Sprint(*s.PCESVN))
		}
		add("QE vendor", s.QEVendorID)
		add("User data", s.UserData)
	})
	section("Body: "+s.BodyType, func(add func(name, value string)) {
		if s.TD != nil {
			s.TD.add(add)
		} else {
			s.Enclave.add(add)
		}
	})
	section("Signature", func(add func(name, value string)) {
		add("Signature", s.Signature)
		add("Attestation key", s.AttestationKey)
	})
	section("Quoting enclave", func(add func(name, value string)) {
		s.QEReport.add(add)
		add("Signature", s.QEReportSignature)
		add("Authentication data", orWord(s.QEAuthData, "none"))
	})
	section(fmt.Sprintf("Certification data: type %d, %s", s.Certification.Type, s.Certification.Name), s.Certification.add)
	for i := range s.Certification.Certificates {
		c := &s.Certification.Certificates[i]
		section(fmt.Sprintf("Certificate %d", i+1), c.add)
	}
}

func (c *shownCertification) add(add func(name, value string)) {
	switch {
	case c.PPID != "":
		add("PPID", c.PPID)
		add("CPUSVN", c.CPUSVN)
		add("PCE", fmt.Sprintf("id %s, SVN %d", orWord(c.PCEID, "not said"), *c.PCESVN))
	case c.Manifest != "":
		add("Manifest", c.Manifest)
	case c.Error != "":
		add("Certificates", "UNREADABLE: "+c.Error)
	default:
		add("Certificates", fmt.Sprint(len(c.Certificates)))
	}
}

func (c *shownCert) add(add func(name, value string)) {
	add("Subject", c.Subject)
	add("Issuer", c.Issuer)
	add("Serial", c.Serial)
	add("Valid", c.NotBefore.Format(time.DateOnly)+" to "+c.NotAfter.Format(time.DateOnly))
	add("CA", yesNo(c.CA))
	add("Public key", c.PublicKey)
	add("SHA-256", c.SHA256)
	add("CRL", orWord(c.CRL, "none"))
	p := c.SGX
	if p == nil {
		return
	}
	add("FMSPC", p.FMSPC)
	add("PPID", p.PPID)
	add("PCE", fmt.Sprintf("id %s, SVN %d", p.PCEID, p.PCESVN))
	add("TCB components", strings.Trim(fmt.Sprint(p.TCBComponents), "[]"))
	add("CPUSVN", p.CPUSVN)
	add("SGX type", p.SGXType)
	if p.PlatformInstanceID != "" {
		add("Platform instance", p.PlatformInstanceID)
		for _, f := range []struct {
			name  string
			value *bool
		}{{"Dynamic platform", p.DynamicPlatform}, {"Cached keys", p.CachedKeys}, {"SMT enabled", p.SMTEnabled}} {
			value := "not said"
			if f.value != nil {
				value = yesNo(*f.value)
			}
			add(f.name, value)
		}
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// add adds what is shown of an enclave.
func (s *shownEnclave) add(add func(name, value string)) {
	add("MRENCLAVE", s.MREnclave)
	add("MRSIGNER", s.MRSigner)
	add("Product", fmt.Sprintf("id %d, SVN %d", s.ISVProdID, s.ISVSVN))
	add("Attributes", bitField{s.Attributes.Flags, s.Attributes.Names}.String())
	add("XFRM", showBits(uint64(s.xfrm), xfrmNames).String())
	add("MISCSELECT", showBits(uint64(s.misc), miscNames).String())
	add("CPUSVN", s.CPUSVN)
	if slices.Contains(s.Attributes.Names, "KSS") || !zeros(s.ISVExtProdID, s.ISVFamilyID, s.ConfigID) || s.ConfigSVN != 0 {
		add("Extended product id", s.ISVExtProdID)
		add("Family id", s.ISVFamilyID)
		add("CONFIGID", s.ConfigID)
		add("CONFIGSVN", fmt.Sprint(s.ConfigSVN))
	}
	if s.CETAttributes != "0x0" {
		add("CET attributes", s.CETAttributes)
	}
	add("Report data", s.ReportData)
	if s.Reserved != "" {
		add("Reserved", s.Reserved)
	}
	if s.Debug {
		add("Debug", debugEnclave)
	}
}

// What is said of debugging.
const (
	debugEnclave = "YES: whoever runs this enclave can read and change all of it"
	debugTD      = "YES: whoever runs this TD can read and change all of it"
)

// zeros reports whether all are zeros in hexadecimal digits.
func zeros(digits ...string) bool {
	return strings.Trim(strings.Join(digits, ""), "0") == ""
}
