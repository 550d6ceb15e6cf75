package config

import (
	"fmt"
	"math/bits"
)

// Validate checks c by the rules that hold for any enclave file: the ranges,
// and what the settings demand of each other. It returns nil or Errors.
func (c *Config) Validate() error {
	var errs Errors
	c.check(inXML, nil, func(f *field, reason string) {
		errs.Add(Error{Key: f.name, Kind: ErrInvalid, Reason: reason})
	})
	return errs.Err()
}

// spelling is how a file names the settings and writes their values.
type spelling struct {
	name  func(*field) string
	value func(*field, uint64) string
}

var (
	inXML  = spelling{func(f *field) string { return f.name }, xmlValue}
	inTOML = spelling{func(f *field) string { return f.key }, tomlValue}
)

// inRange says what is wrong with v as the value of f; "" if nothing.
func (s spelling) inRange(f *field, v uint64) string {
	switch {
	case v >= f.min && v <= f.max:
	case f.max == 1:
		return fmt.Sprintf("%s is out of range: write %s or %s", s.value(f, v), s.value(f, 0), s.value(f, 1))
	case v < f.min:
		return fmt.Sprintf("%s is out of range: write %s or more", s.value(f, v), s.value(f, f.min))
	default:
		return fmt.Sprintf("%s is out of range: write %s to %s", s.value(f, v), s.value(f, f.min), s.value(f, f.max))
	}
	if f.kind == size && v%pageSize != 0 {
		// The range ends a byte short of a page, so that rounding up fits.
		return fmt.Sprintf("%s is no multiple of the page size: write %s or %s",
			s.value(f, v), s.value(f, max(v&^(pageSize-1), f.min)), s.value(f, v&^(pageSize-1)+pageSize))
	}
	return ""
}

// rule is a demand of settings on each other. broken says what is wrong; "" if
// nothing. It is told as the fault of the first of fields that a file gives.
type rule struct {
	fields []string
	broken func(c *Config, s spelling) string
}

// ordered is the rule that one setting does not exceed another. If that one
// is at its own limit, the limit is what is to be raised.
func ordered(low, high, limit string) rule {
	l := byName[low]
	return rule{[]string{low, high, limit}, func(c *Config, s spelling) string {
		h := byName[high]
		if l.get(c) <= h.get(c) {
			return ""
		}
		if m := byName[limit]; m.get(c) == h.get(c) {
			h = m
		}
		return fmt.Sprintf("%s %s is above %s %s: write %[4]s or less, or raise %[3]s",
			s.name(l), s.value(l, l.get(c)), s.name(h), s.value(h, h.get(c)))
	}}
}

var rules = []rule{
	ordered("StackMinSize", "StackMaxSize", "StackMaxSize"),
	ordered("HeapMinSize", "HeapInitSize", "HeapMaxSize"),
	ordered("HeapInitSize", "HeapMaxSize", "HeapMaxSize"),
	ordered("ReservedMemMinSize", "ReservedMemInitSize", "ReservedMemMaxSize"),
	ordered("ReservedMemInitSize", "ReservedMemMaxSize", "ReservedMemMaxSize"),
	ordered("TCSNum", "TCSMaxNum", "TCSMaxNum"),
	ordered("TCSMinPool", "TCSMaxNum", "TCSMaxNum"),
	{[]string{"UserRegionSize", "MiscSelect", "MiscMask"}, func(c *Config, s spelling) string {
		if c.UserRegionSize == 0 || c.MiscSelect&c.MiscMask&1 != 0 {
			return ""
		}
		return fmt.Sprintf("a user region needs SGX2: set bit 0 of %s and of %s, or leave %s out",
			s.name(byName["MiscSelect"]), s.name(byName["MiscMask"]), s.name(byName["UserRegionSize"]))
	}},
	{[]string{"HW", "LaunchKey"}, func(c *Config, s spelling) string {
		hw, key := s.name(byName["HW"]), s.name(byName["LaunchKey"])
		switch {
		case c.HW != 0 && !c.LaunchKey:
			return fmt.Sprintf("%s is for launch enclaves: leave it out, or write %s %s", hw, key, s.value(byName["LaunchKey"], 1))
		case c.HW == 0 && c.LaunchKey:
			return fmt.Sprintf("%s is for launch enclaves, which have %s: leave it out, or write %[2]s 1 to 16", key, hw)
		}
		return ""
	}},
	{[]string{"ISVEXTPRODID_H", "ISVEXTPRODID_L", "ISVFAMILYID_H", "ISVFAMILYID_L", "EnableKSS"}, func(c *Config, s spelling) string {
		if c.EnableKSS || c.ISVExtProdID == [16]byte{} && c.ISVFamilyID == [16]byte{} {
			return ""
		}
		kss := byName["EnableKSS"]
		return fmt.Sprintf("these identifiers need key separation: write %s %s", s.name(kss), s.value(kss, 1))
	}},
	{[]string{"EnableOSSLFIPS", "EnableIPPFIPS"}, func(c *Config, s spelling) string {
		if !c.EnableIPPFIPS || !c.EnableOSSLFIPS {
			return ""
		}
		return fmt.Sprintf("%s and %s exclude each other: leave one out",
			s.name(byName["EnableIPPFIPS"]), s.name(byName["EnableOSSLFIPS"]))
	}},
	elrange("ELRangeSize", func(r *ELRange, s spelling) string {
		if bits.OnesCount64(r.Size) == 1 {
			return ""
		}
		f := byName["ELRangeSize"]
		if bits.Len64(r.Size) == 64 {
			return fmt.Sprintf("%s is no power of two: write %s", s.value(f, r.Size), s.value(f, 1<<63))
		}
		return fmt.Sprintf("%s is no power of two: write %s or %s", s.value(f, r.Size),
			s.value(f, 1<<bits.Len64(r.Size)>>1), s.value(f, 1<<bits.Len64(r.Size)))
	}),
	elrange("EnclaveImageAddress", func(r *ELRange, s spelling) string {
		f, start := byName["EnclaveImageAddress"], byName["ELRangeStartAddress"]
		switch {
		case r.ImageAddress%pageSize != 0:
			return fmt.Sprintf("%s is no multiple of the page size: write %s", s.value(f, r.ImageAddress), s.value(f, r.ImageAddress&^(pageSize-1)))
		case r.ImageAddress < r.Start:
			return fmt.Sprintf("the image lies before the range: write %s %s or more", s.name(f), s.value(start, r.Start))
		}
		return ""
	}),
	elrange("ELRangeStartAddress", func(r *ELRange, s spelling) string {
		if bits.OnesCount64(r.Size) != 1 {
			return "" // said above
		}
		f, sz := byName["ELRangeStartAddress"], byName["ELRangeSize"]
		switch {
		case r.Start&(r.Size-1) != 0:
			return fmt.Sprintf("%s is no multiple of %s: write %s", s.value(f, r.Start), s.name(sz), s.value(f, r.Start&^(r.Size-1)))
		case r.Start+r.Size < r.Start:
			return fmt.Sprintf("the range of %s bytes does not end below 2^64: write a lower address", s.value(sz, r.Size))
		}
		return ""
	}),
}

// elrange is a rule about the address range, if there is one, told as the
// fault of the named setting.
func elrange(name string, broken func(*ELRange, spelling) string) rule {
	return rule{[]string{name, "ELRangeSize", "ELRangeStartAddress", "EnclaveImageAddress"}, func(c *Config, s spelling) string {
		if c.ELRange == nil {
			return ""
		}
		return broken(c.ELRange, s)
	}}
}

// check reports what is wrong with c. Settings in given are from a file, which
// has told of those that map to false: no rule looks at them again.
func (c *Config) check(s spelling, given map[*field]bool, report func(*field, string)) {
	for _, f := range fields {
		if f.kind == address && (c.ELRange == nil || f.get(c) == 0 && f.name != "ELRangeSize") {
			continue // an address of 0 is one that is not given
		}
		if _, told := given[f]; told {
			continue
		}
		if reason := s.inRange(f, f.get(c)); reason != "" {
			report(f, reason)
			if given == nil {
				given = map[*field]bool{}
			}
			given[f] = false
		}
	}
next:
	for _, r := range rules {
		at := byName[r.fields[0]]
		for i := len(r.fields) - 1; i >= 0; i-- {
			f := byName[r.fields[i]]
			ok, isGiven := given[f]
			if isGiven && !ok {
				continue next
			}
			if isGiven {
				at = f
			}
		}
		if reason := r.broken(c, s); reason != "" {
			report(at, reason)
		}
	}
}
