package crosscheck

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// AESM is a client of the daemon that makes quotes. It shares nothing with the
// project's own package aesm: it was written from a description of the protocol,
// and protobuf's own package has its encoding.
type AESM struct{ Socket string }

// Sizes in bytes, and limits.
const (
	aesmKeyIDSize  = 256             // sgx_att_key_id_t
	aesmTargetSize = 512             // sgx_target_info_t
	aesmReportSize = 432             // sgx_report_t
	aesmInfoSize   = 960             // sgx_qe_report_info_t: nonce of 16, target, report
	aesmMaxAnswer  = 1 << 20         // our own
	aesmPatience   = 5 * time.Minute // until a machine is certified, on a busy computer
)

// aesmRequest is a message that is being encoded.
type aesmRequest []byte

func (r aesmRequest) number(field protowire.Number, v uint64) aesmRequest {
	return protowire.AppendVarint(protowire.AppendTag(r, field, protowire.VarintType), v)
}

func (r aesmRequest) bytes(field protowire.Number, v []byte) aesmRequest {
	return protowire.AppendBytes(protowire.AppendTag(r, field, protowire.BytesType), v)
}

// timeout adds the field that nearly all requests end with, as Intel's libraries
// fill it in.
func (r aesmRequest) timeout() aesmRequest { return r.number(9, 15000) }

// aesmAnswer is a message that came back.
type aesmAnswer struct {
	kind    protowire.Number // the field of Response that it is
	code    uint64           // errorCode
	numbers map[protowire.Number]uint64
	bytes   map[protowire.Number][]byte
}

// fields reads all fields of a message, of which each may be there once.
func aesmFields(b []byte) (numbers map[protowire.Number]uint64, bytes map[protowire.Number][]byte, err error) {
	numbers, bytes = map[protowire.Number]uint64{}, map[protowire.Number][]byte{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		b = b[n:]
		_, twice := numbers[field]
		if _, also := bytes[field]; twice || also {
			return nil, nil, fmt.Errorf("field %d is there twice", field)
		}
		switch kind {
		case protowire.VarintType:
			numbers[field], n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			bytes[field], n = protowire.ConsumeBytes(b)
		default:
			return nil, nil, fmt.Errorf("field %d is of wire type %d", field, kind)
		}
		if n < 0 {
			return nil, nil, fmt.Errorf("field %d: %w", field, protowire.ParseError(n))
		}
		b = b[n:]
	}
	return numbers, bytes, nil
}

// send sends a frame on a connection of its own, and returns the frame that comes
// back.
func (c AESM) send(message []byte) ([]byte, error) {
	conn, err := net.Dial("unix", c.Socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // nothing is left to be said
	if err := conn.SetDeadline(time.Now().Add(aesmPatience)); err != nil {
		return nil, err
	}
	frame := append(binary.LittleEndian.AppendUint32(nil, uint32(len(message))), message...)
	if _, err := conn.Write(frame); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size > aesmMaxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	answer := make([]byte, size)
	_, err = io.ReadFull(conn, answer)
	return answer, err
}

// ask sends a request as that field of Request, and reads the answer.
func (c AESM) ask(kind protowire.Number, r aesmRequest) (*aesmAnswer, error) {
	b, err := c.send(aesmRequest(nil).bytes(kind, r))
	if err != nil {
		return nil, fmt.Errorf("message %d: %w", kind, err)
	}
	numbers, bytes, err := aesmFields(b)
	if err == nil && (len(numbers) != 0 || len(bytes) != 1) {
		err = fmt.Errorf("%d fields in Response", len(numbers)+len(bytes))
	}
	if err != nil {
		return nil, fmt.Errorf("message %d: %w in %x", kind, err, b)
	}
	a := &aesmAnswer{}
	for field, inner := range bytes {
		a.kind = field
		if a.numbers, a.bytes, err = aesmFields(inner); err != nil {
			return nil, fmt.Errorf("message %d: answer %d: %w in %x", kind, field, err, inner)
		}
	}
	code, ok := a.numbers[1]
	if !ok {
		code = 1 // the schema's default
	}
	a.code = code
	return a, nil
}

// aesmError is an errorCode that is not 0.
type aesmError uint64

func (e aesmError) Error() string { return fmt.Sprintf("AESM's error %d", uint64(e)) }

// must is ask where only success of that very kind will do.
func (c AESM) must(kind protowire.Number, r aesmRequest) (*aesmAnswer, error) {
	a, err := c.ask(kind, r)
	switch {
	case err != nil:
		return nil, err
	case a.kind != kind:
		return nil, fmt.Errorf("message %d: answered with %d", kind, a.kind)
	case a.code != 0:
		return nil, fmt.Errorf("message %d: %w", kind, aesmError(a.code))
	}
	return a, nil
}

// Keys returns the IDs of the attestation keys that the daemon has.
func (c AESM) Keys() ([][]byte, error) {
	a, err := c.must(21, aesmRequest(nil).timeout())
	if err != nil {
		return nil, err
	}
	size := a.numbers[2] * aesmKeyIDSize
	if a, err = c.must(22, aesmRequest(nil).number(1, size).timeout()); err != nil {
		return nil, err
	}
	b := a.bytes[2]
	if uint64(len(b)) != size || size == 0 {
		return nil, fmt.Errorf("%d bytes of key IDs where %d were announced", len(b), size)
	}
	var keys [][]byte
	for ; len(b) > 0; b = b[aesmKeyIDSize:] {
		keys = append(keys, b[:aesmKeyIDSize])
	}
	return keys, nil
}

// intelsECDSAKey is the ID of the ECDSA key of Intel's quoting enclave, for those
// who do not ask: mrsigner_length, mrsigner, prod_id and algorithm_id are not 0.
func intelsECDSAKey() []byte {
	signer, err := hex.DecodeString("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff")
	if err != nil {
		panic(err) // a constant
	}
	id := make([]byte, aesmKeyIDSize)
	binary.LittleEndian.PutUint16(id[4:], uint16(len(signer)))
	copy(id[6:54], signer)
	binary.LittleEndian.PutUint32(id[54:], 1)  // prod_id
	binary.LittleEndian.PutUint32(id[154:], 2) // ECDSA-P256
	return id
}

// Target returns for whom a REPORT is to be made, 512 bytes. As Intel's library
// does, it asks for the size of the public key's ID first.
func (c AESM) Target(key []byte) ([]byte, error) {
	a, err := c.must(15, aesmRequest(nil).bytes(1, key).number(3, 0).timeout())
	if err != nil {
		return nil, err
	}
	size := a.numbers[3]
	if a, err = c.must(15, aesmRequest(nil).bytes(1, key).number(3, 1).number(4, size).timeout()); err != nil {
		return nil, err
	}
	target, id := a.bytes[2], a.bytes[4]
	if len(target) != aesmTargetSize || size == 0 || uint64(len(id)) != size {
		return nil, fmt.Errorf("a target of %d bytes and a key ID of %d, where %d were announced", len(target), len(id), size)
	}
	return target, nil
}

// Quote turns a REPORT of 432 bytes into a quote. The info is of 960 bytes, to have
// a REPORT of the quoting enclave in it, or nil.
func (c AESM) Quote(key, report, info []byte) (quote, filled []byte, err error) {
	if len(report) != aesmReportSize || info != nil && len(info) != aesmInfoSize {
		return nil, nil, errors.New("a REPORT has 432 bytes, an info 960")
	}
	a, err := c.must(16, aesmRequest(nil).bytes(1, key).timeout())
	if err != nil {
		return nil, nil, err
	}
	r := aesmRequest(nil).bytes(1, report).bytes(2, key)
	if info != nil {
		r = r.bytes(3, info)
	}
	size := a.numbers[2]
	if a, err = c.must(17, r.number(4, size).timeout()); err != nil {
		return nil, nil, err
	}
	if uint64(len(a.bytes[2])) > size || len(a.bytes[3]) != len(info) {
		return nil, nil, fmt.Errorf("a quote of %d bytes where %d were announced, an info of %d", len(a.bytes[2]), size, len(a.bytes[3]))
	}
	return a.bytes[2], a.bytes[3], nil
}
