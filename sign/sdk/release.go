package sdk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/image"
)

// release is a version of the SDK: major<<32 | minor<<16 | patch, as
// g_global_data holds it.
type release uint64

func version(major, minor, patch uint64) release { return release(major<<32 | minor<<16 | patch) }

// Releases in which what the signing tool writes, or what the enclave's
// runtime expects, changed.
var (
	sdk1_9   = version(1, 9, 0)
	sdk2_0   = version(2, 0, 0)
	sdk2_1   = version(2, 1, 0)
	sdk2_1_3 = version(2, 1, 3)
	sdk2_3   = version(2, 3, 0)
	sdk2_4   = version(2, 4, 0)
	sdk2_5   = version(2, 5, 0)
	sdk2_6   = version(2, 6, 0)
	sdk2_8   = version(2, 8, 0)
	sdk2_9_1 = version(2, 9, 1)
	sdk2_10  = version(2, 10, 0)
	sdk2_14  = version(2, 14, 0)
	sdk2_16  = version(2, 16, 0)
	sdk2_17  = version(2, 17, 0)
	sdk2_18  = version(2, 18, 0)
	sdk2_19  = version(2, 19, 0)
	sdk2_20  = version(2, 20, 0)
	sdk2_22  = version(2, 22, 0)
	sdk2_24  = version(2, 24, 0)
	sdk2_25  = version(2, 25, 0)
	sdk2_26  = version(2, 26, 0)
)

// String returns the version as the SDK's documents write it.
func (r release) String() string {
	s := fmt.Sprintf("%d.%d", r>>32, r>>16&0xFFFF)
	if r&0xFFFF != 0 {
		s += fmt.Sprintf(".%d", r&0xFFFF)
	}
	return s
}

// generation is a range of releases whose runtimes have g_global_data of one
// size.
type generation struct {
	first release
	size  uint64 // bytes
	last  release
}

// generations are in ascending order. The last release is what is assumed of
// a file that does not say more.
var generations = []generation{
	{version(1, 5, 0), 184, version(1, 8, 0)},
	{sdk2_0, 1488, sdk2_5},
	{sdk2_6, 1632, version(2, 7, 1)},
	{sdk2_8, 1648, version(2, 9, 0)},
	{sdk2_9_1, 1656, version(2, 13, 3)},
	{sdk2_14, 1680, sdk2_16},
	{sdk2_17, 1688, version(2, 18, 1)},
	{sdk2_19, 1720, sdk2_19},
	{sdk2_20, 1760, sdk2_24},
	{sdk2_25, 1768, version(2, 29, 0)},
}

// releaseOf finds out with which SDK an enclave was built. Since 2.9.1 the
// runtime holds its version where the tool compares it. Before, the size of
// the same structure and a string of the trusted runtime tell; simulation
// runtimes lack the string, and metadata of an earlier signing may help.
func releaseOf(o *object) (release, error) {
	le := binary.LittleEndian
	size := uint64(len(o.globalData))
	i := len(generations) - 1
	for i >= 0 && generations[i].size != size {
		i--
	}
	if i < 0 {
		return 0, objectErr(o.globalDataAt, "g_global_data has %d bytes, which no known SDK gives it; releases 1.5 to 2.29 are known", size)
	}
	g := generations[i]
	if g.first >= sdk2_9_1 {
		r := release(le.Uint64(o.globalData))
		if r&0xFFFF >= 100 { // the third number counts from 100
			r -= 100
		}
		if r>>32 != 2 || r < g.first || i+1 < len(generations) && r >= generations[i+1].first {
			return 0, objectErr(o.globalDataAt, "g_global_data has the %d bytes of SDK %v to %v and names %v (%#x)", size, g.first, g.last, r, uint64(r))
		}
		return r, nil
	}
	if r, ok := namedRelease(o.file); ok && r >= g.first && r < generations[i+1].first {
		return r, nil
	}
	switch {
	case size == 184 && o.metadataVersion == image.Version1_4:
		return sdk1_9, nil
	case size != 1488:
	case o.metadataVersion == image.MakeVersion(2, 1) || len(o.note) < 0x5000:
		return sdk2_0, nil
	case o.metadataVersion == image.MakeVersion(2, 2):
		return sdk2_1, nil
	case o.metadataVersion == image.MakeVersion(2, 3):
		return sdk2_1_3, nil
	}
	return g.last, nil
}

// namedRelease returns the version in the string that trusted runtimes of
// hardware enclaves carry.
func namedRelease(file []byte) (release, bool) {
	const mark = "SGX_TRTS_VERSION_"
	i := bytes.Index(file, []byte(mark))
	if i < 0 {
		return 0, false
	}
	s := string(file[i+len(mark) : min(i+len(mark)+32, len(file))])
	if end := strings.IndexFunc(s, func(c rune) bool { return c != '.' && (c < '0' || c > '9') }); end >= 0 {
		s = s[:end]
	}
	var n [3]uint64
	parts := strings.Split(s, ".")
	for i, p := range parts[:min(len(parts), len(n))] {
		v, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0, false
		}
		n[i] = v
	}
	// The third number counts from 100: 2.13.103 is release 2.13.3. Early
	// releases had the number of a build there.
	switch {
	case n[2] >= 100 && n[2] < 200:
		n[2] -= 100
	default:
		n[2] = 0
	}
	return version(n[0], n[1], n[2]), len(parts) >= 2
}
