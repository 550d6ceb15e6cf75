// Package bn is the arithmetic of EPID 2.0: Intel's 256-bit Barreto-Naehrig
// curve, its twist, and the optimal ate pairing between them.
//
//	E:   y² = x³ + 3        over Fq, of prime order p: the group G1
//	E':  y² = x³ + 3/(2+i)  over Fq², of order p·(2q-p); G2 is the part of order p
//	Fq² = Fq[i]/(i²+1), Fq⁶ = Fq²[v]/(v³-(2+i)), Fq¹² = Fq⁶[w]/(w²-v)
//
// The groups are written multiplicatively in papers on EPID, and additively
// here, as is usual for curves.
//
// What depends on secrets, that is multiplication of points and arithmetic of
// scalars, takes the same time for all values. Parsing, hashing to the curve
// and the pairing's preparation work on public data and do not.
//
// Values are big-endian octet strings, 32 bytes for each coordinate; the point
// at infinity is zeros.
package bn
