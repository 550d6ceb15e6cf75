package cpu

import (
	"fmt"
	"io"
)

// Fuses is the secret identity of a processor, burnt in at the factory. Two
// processors with equal fuses derive equal keys.
type Fuses struct {
	RootProvisioningKey [16]byte // known to the factory, too
	RootSealKey         [16]byte // known to nobody else
}

// NewFuses draws the fuses of a new processor from rand.
func NewFuses(rand io.Reader) (Fuses, error) {
	var f Fuses
	if err := draw(rand, f.RootProvisioningKey[:], f.RootSealKey[:]); err != nil {
		return Fuses{}, err
	}
	return f, nil
}

// draw fills each of bufs from rand.
func draw(rand io.Reader, bufs ...[]byte) error {
	for _, b := range bufs {
		if _, err := io.ReadFull(rand, b); err != nil {
			return fmt.Errorf("cpu: drawing a key: %w", err)
		}
	}
	return nil
}
