// Command all links the packages that have assembly, and much of the others.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"compress/lzw"
	"compress/zlib"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/md5"
	"crypto/mlkem"
	"crypto/pbkdf2"
	"crypto/rc4"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/asn1"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"expvar"
	"fmt"
	"go/types"
	"hash/adler32"
	"hash/crc32"
	"hash/crc64"
	"hash/maphash"
	"html/template"
	"image/gif"
	"image/jpeg"
	"image/png"
	"index/suffixarray"
	"log/slog"
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"net/http"
	"net/http/pprof"
	"net/rpc"
	"net/smtp"
	"os"
	"os/exec"
	"plugin"
	"reflect"
	"regexp"
	"runtime/trace"
	"sync/atomic"
	"text/template/parse"
	"time"
)

var keep = []any{
	tar.NewReader, zip.NewReader, bzip2.NewReader, flate.NewReader, gzip.NewReader, lzw.NewReader, zlib.NewReader,
	aes.NewCipher, cipher.NewGCM, des.NewCipher, ecdh.X25519, ecdsa.Sign, ed25519.Sign, elliptic.P256, hkdf.Expand[sum], md5.Sum,
	mlkem.GenerateKey768, pbkdf2.Key[sum], rc4.NewCipher, rsa.SignPSS, sha1.Sum, sha3.Sum256, sha512.Sum512, tls.Dial,
	x509.ParseCertificate, sql.Open, asn1.Marshal, gob.NewDecoder, json.Marshal, xml.Marshal, expvar.Publish, types.NewChecker,
	adler32.Checksum, crc32.Checksum, crc64.Checksum, maphash.String, template.New, gif.Decode, jpeg.Decode, png.Decode,
	suffixarray.New, slog.Info, math.FMA, math.Exp, math.Log, math.Hypot, big.NewInt, cmplx.Exp, rand.NewChaCha8,
	http.ListenAndServe, pprof.Index, rpc.Dial, smtp.SendMail, exec.Command, plugin.Open, reflect.MakeFunc, regexp.MustCompile,
	trace.Start, new(atomic.Uint64).And, parse.Parse, time.LoadLocation,
}

type sum = hashSum

type hashSum interface {
	Write([]byte) (int, error)
	Sum([]byte) []byte
	Reset()
	Size() int
	BlockSize() int
}

func main() { fmt.Println(len(keep), os.Args) }
