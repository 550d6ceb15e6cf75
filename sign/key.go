package sign

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"github.com/feidi-dev/feidi/isa"
)

// ErrKey is wrapped by the error of a key that cannot sign a SIGSTRUCT.
var ErrKey = errors.New("key cannot sign a SIGSTRUCT")

// GenerateKey draws an RSA-3072 key with public exponent 3 from random. The
// same bytes give the same key.
func GenerateKey(random io.Reader) (*rsa.PrivateKey, error) {
	return GenerateKeyWithExponent(random, isa.SigStructExponent)
}

// GenerateKeyWithExponent is GenerateKey with another public exponent, an odd
// prime. Such a key does not sign SIGSTRUCTs.
func GenerateKeyWithExponent(random io.Reader, exponent int) (*rsa.PrivateKey, error) {
	e := big.NewInt(int64(exponent))
	one := big.NewInt(1)
	for {
		p, err := prime(random, e)
		if err != nil {
			return nil, err
		}
		q, err := prime(random, e)
		if err != nil {
			return nil, err
		}
		n := new(big.Int).Mul(p, q)
		if p.Cmp(q) == 0 || n.BitLen() != keyBits {
			continue
		}
		p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
		lambda := new(big.Int).Mul(p1, q1)
		lambda.Div(lambda, new(big.Int).GCD(nil, nil, p1, q1))
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: n, E: exponent},
			D:         new(big.Int).ModInverse(e, lambda),
			Primes:    []*big.Int{p, q},
		}
		key.Precompute()
		if err := key.Validate(); err != nil {
			return nil, fmt.Errorf("sign: generated key: %w", err)
		}
		return key, nil
	}
}

// smallPrimes are the odd primes below 2^13 that sieve candidates.
var smallPrimes = sync.OnceValue(func() []uint64 {
	var primes []uint64
next:
	for n := uint64(3); n < 1<<13; n += 2 {
		for _, p := range primes {
			if n%p == 0 {
				continue next
			}
		}
		primes = append(primes, n)
	}
	return primes
})

// prime draws a prime of half a modulus's bits, of which it sets the highest
// two, for which e has an inverse. It looks upward from a random start, and
// tests only what no small prime divides. The exponent e is prime.
func prime(random io.Reader, e *big.Int) (*big.Int, error) {
	const span = 1 << 14 // long enough to hold a prime nearly always
	small, one := smallPrimes(), big.NewInt(1)
	b := make([]byte, keyBits/2/8)
	residue := make([]uint64, len(small))
	for {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		b[0] |= 0xC0
		b[len(b)-1] |= 1
		start := new(big.Int).SetBytes(b)
		for i, p := range small {
			residue[i] = new(big.Int).Mod(start, new(big.Int).SetUint64(p)).Uint64()
		}
		p := new(big.Int)
	next:
		for delta := uint64(0); delta < span; delta += 2 {
			for i, r := range residue {
				if (r+delta)%small[i] == 0 {
					continue next
				}
			}
			p.Add(start, new(big.Int).SetUint64(delta))
			if new(big.Int).Mod(p, e).Cmp(one) == 0 { // e has no inverse
				continue
			}
			if p.BitLen() == keyBits/2 && p.ProbablyPrime(20) {
				return p, nil
			}
		}
	}
}

// Sign signs s: it fills the two headers, which are constants, MODULUS,
// EXPONENT, SIGNATURE, Q1 and Q2. All other fields are the caller's. An error
// about the key wraps ErrKey.
func Sign(s *isa.SigStruct, key *rsa.PrivateKey) error {
	if err := checkKey(&key.PublicKey); err != nil {
		return err
	}
	out := *s
	out.Header, out.Header2 = isa.SigStructHeader, isa.SigStructHeader2
	digest := signedDigest(&out)
	raw, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := Attach(&out, &key.PublicKey, raw); err != nil {
		return err
	}
	*s = out
	return nil
}

// Attach completes s with a signature of its signed fields that was made
// elsewhere, isa.RSAKeySize bytes, big-endian: it fills what Sign fills. An
// error about the key wraps ErrKey; if the signature is not one of s by the
// key, the error wraps isa.ErrInvalidSignature.
func Attach(s *isa.SigStruct, key *rsa.PublicKey, signature []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	sig := new(big.Int).SetBytes(signature)
	if len(signature) != isa.RSAKeySize || sig.Cmp(key.N) >= 0 {
		return fmt.Errorf("sign: %w: it has %d bytes, not %d, or exceeds the modulus", isa.ErrInvalidSignature, len(signature), isa.RSAKeySize)
	}
	q1, r := new(big.Int).QuoRem(new(big.Int).Mul(sig, sig), key.N, new(big.Int))
	q2 := r.Quo(r.Mul(r, sig), key.N)

	out := *s
	out.Header, out.Header2 = isa.SigStructHeader, isa.SigStructHeader2
	out.Exponent = isa.SigStructExponent
	putLE(out.Modulus[:], key.N)
	putLE(out.Signature[:], sig)
	putLE(out.Q1[:], q1)
	putLE(out.Q2[:], q2)
	if err := checkSignature(&out); err != nil {
		return err
	}
	*s = out
	return nil
}

func checkKey(key *rsa.PublicKey) error {
	if key.N.BitLen() != keyBits || key.E != isa.SigStructExponent {
		return fmt.Errorf("sign: %w: it has %d bits and exponent %d, not %d and %d; make one with `openssl genrsa -3 %[4]d`",
			ErrKey, key.N.BitLen(), key.E, keyBits, isa.SigStructExponent)
	}
	return nil
}
