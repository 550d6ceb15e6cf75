package sign

import "time"

// Date is the date of a SIGSTRUCT: the day in UTC as yyyymmdd, each digit in four
// bits (SDM Vol. 3D, "Enclave Signature Structure").
func Date(t time.Time) uint32 {
	y, m, d := t.UTC().Date()
	var v uint32
	for i, n := 0, y*10000+int(m)*100+d; i < 8; i, n = i+1, n/10 {
		v |= uint32(n%10) << (4 * i)
	}
	return v
}
