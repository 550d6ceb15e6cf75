// Package sdk signs enclave files of the Intel SDK, as its tool sgx_sign
// does: it checks the shared object, lays out the pages that the loader adds
// beside its segments, measures the whole, and puts the metadata with the
// SIGSTRUCT into the section that the file reserves for it.
//
// The package is pure: files, keys and the date are arguments. What it knows
// of an enclave's settings it takes from package sign/config.
package sdk

import (
	"crypto/rsa"
	"errors"
	"io"
	"time"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign/config"
)

// Options are what signing depends on beside the configuration.
type Options struct {
	// Date is the day that the SIGSTRUCT names, in UTC.
	Date time.Time
	// Resign accepts a file that is signed already.
	Resign bool
	// IgnoreRelocations accepts a file whose code would be relocated.
	IgnoreRelocations bool
	// IgnoreInit accepts a file with an .init section, which nothing runs.
	IgnoreInit bool
	// FIPSModule is the OpenSSL FIPS provider, a shared object, that
	// config.Config.EnableOSSLFIPS appends to the enclave's file.
	FIPSModule []byte
}

// Unsigned is an enclave file that lacks nothing but its signature.
type Unsigned struct {
	file      []byte
	sigStruct isa.SigStruct
	notes     []string
}

// Lay checks an enclave file, lays out its metadata and measures it. It keeps
// file, which must not change while the result is in use.
func Lay(file []byte, c *config.Config, o Options) (*Unsigned, error) {
	return nil, errors.ErrUnsupported
}

// SigStruct returns the SIGSTRUCT: without its key and signature before Sign
// or Attach, and complete afterwards.
func (u *Unsigned) SigStruct() *isa.SigStruct { s := u.sigStruct; return &s }

// Notes returns what the signer should know, a sentence each: on which
// machines the enclave runs, and how much memory it takes.
func (u *Unsigned) Notes() []string { return u.notes }

// GenData returns the 256 bytes that are to be signed: bytes 0 to 127 and 900
// to 1027 of the SIGSTRUCT.
func (u *Unsigned) GenData() []byte { return u.sigStruct.AppendSigned(make([]byte, 0, 256)) }

// Sign signs the enclave with an RSA-3072 key whose exponent is 3.
func (u *Unsigned) Sign(key *rsa.PrivateKey) error { return errors.ErrUnsupported }

// Attach takes a signature that was made elsewhere: sig, 384 bytes
// big-endian, of data, which GenData returned for the same file and
// configuration. The date is the data's.
func (u *Unsigned) Attach(pub *rsa.PublicKey, data, sig []byte) error { return errors.ErrUnsupported }

// WriteTo writes the signed file. Nothing of the input is copied.
func (u *Unsigned) WriteTo(w io.Writer) (int64, error) { return 0, errors.ErrUnsupported }
