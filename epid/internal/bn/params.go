package bn

// The parameters of EPID 2.0 (Intel's "EPID 2.0 Specification", which the EPID
// SDK publishes as parameter file). The curve is the member of the
// Barreto-Naehrig family for u = -uAbs:
//
//	q = 36u⁴+36u³+24u²+6u+1, p = q - 6u²
//
// which the tests compute.
const (
	uAbs = 0x6882F5C030B0A801

	hexP = "FFFFFFFFFFFCF0CD46E5F25EEE71A49E0CDC65FB1299921AF62D536CD10B500D"
	hexQ = "FFFFFFFFFFFCF0CD46E5F25EEE71A49F0CDC65FB12980A82D3292DDBAED33013"

	hexG2 = "E20171C54AA3DA0521670413743CCF22D25D52683D32470EF6021343BF282394" +
		"592D1EF653A85A8046CCDC254FBB565643433BF6289653E27DF7B212BAA189BE" +
		"AE60A4E751FFD350C621E703312826BD55E8B59A4D916838414DB822DD2335AE" +
		"1AB442F989AFE5ADF80274F87645E2532CDC61819093D6132C90FE8951B92421"
)

var (
	modP = newModulus(hexP)
	modQ = newModulus(hexQ)
)

// Order returns p, the order of the groups, in 32 bytes.
func Order() [32]byte { return toBytes(&modP.m) }
