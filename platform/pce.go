package platform

import (
	"context"

	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// PCE returns the SECS of the PCE that runs, from which the factory knows whose
// keys it certifies.
func (p *Platform) PCE(ctx context.Context) (secs isa.SECS, err error) {
	err = p.pce.Do(ctx, func(_ context.Context, r *supervisor.Running[*pceedl.Pce]) error {
		secs = r.SECS
		return nil
	})
	return secs, err
}
