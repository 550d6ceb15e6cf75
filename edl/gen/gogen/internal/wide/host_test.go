package wide

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// host serves the OCALLs of trusted.
type host struct {
	x       *Wide
	printed []string
	fail    error
}

func (h *host) OcallNothing(context.Context) error { return h.fail }

func (h *host) OcallSum(_ context.Context, a, b int32) (int32, int32, error) { return a + b, 11, nil }

func (h *host) OcallStructs(_ context.Context, p Point, w Word, c Color, n Nest) (Nest, error) {
	n.Points[1], n.Word, n.Color = p, w, c
	return n, nil
}

func (h *host) OcallBuffers(_ context.Context, p []byte, m uint64, z *[2]int32, pts []Point) (uint64, []byte, int64, error) {
	q := slices.Clone(p)
	slices.Reverse(q)
	if z != nil {
		slices.Reverse(z[:])
	}
	slices.Reverse(pts)
	return uint64(len(p)), q, -1, nil
}

func (h *host) OcallArrays(_ context.Context, a *[4]int32, c *[2]Point) (b [4]int32, err error) {
	if a != nil {
		b = *a
		slices.Reverse(b[:])
	}
	if c != nil {
		slices.Reverse(c[:])
	}
	return b, nil
}

func (h *host) OcallPrint(_ context.Context, s string) error {
	h.printed = append(h.printed, s)
	return nil
}

func (h *host) OcallUpper(_ context.Context, s, w, x string) (string, string, error) {
	h.printed = append(h.printed, w)
	return strings.ToUpper(s), strings.ToUpper(x), nil
}

func (h *host) OcallDeep(_ context.Context, l *List, many []List) error {
	if l != nil {
		changeList(l) // goes nowhere
	}
	for i := range many {
		changeList(&many[i])
	}
	return nil
}

func (h *host) OcallNest(ctx context.Context, depth int32) (int32, error) {
	if depth == 100 { // not allowed here
		return 0, h.x.EcallNothing(ctx)
	}
	n, err := h.x.EcallNested(ctx, depth)
	return n + 1, err
}

func (h *host) Write(_ context.Context, fd int32, p []byte) (int64, int32, error) {
	h.printed = append(h.printed, string(p))
	return int64(len(p)), 0, nil
}

func (h *host) OcallPointer(_ context.Context, p edge.Pointer) (edge.Pointer, error) {
	return 0x4321, nil
}

func (h *host) OcallFail(context.Context, int32) (int32, error) { return 0, h.fail }

// world is both sides, and what the functions of the test say.
type world struct {
	*border
	*Wide
	enclave *trusted
	host    *host
}

func newWorld(t testing.TB) *world {
	w := &world{enclave: &trusted{}, host: &host{}}
	w.enclave.want = func(got ...any) error {
		t.Error(got...)
		return errors.New("no test")
	}
	w.border = newBorder(t, w.enclave)
	w.Wide = NewWide(w.border, w.host)
	w.host.x = w.Wide
	t.Cleanup(func() {
		w.Wide.Close()
		if w.live != 0 {
			t.Errorf("%d pieces of untrusted memory are left", w.live)
		}
	})
	return w
}

// worlds runs a test with a host that behaves, and with one that changes what
// it has passed as soon as the enclave has read it. No test sees a difference.
func worlds(t *testing.T, test func(t *testing.T, w *world)) {
	for name, hostile := range map[string]bool{"honest": false, "hostile": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.hostile = hostile
			test(t, w)
		})
	}
}

var errReason = errors.New("the reason")

func TestErrorsOfOCalls(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	for _, c := range []struct {
		fail error
		want status.Code
	}{
		{errReason, status.ErrUnexpected},
		{errors.Join(errReason, status.ErrOutOfMemory), status.ErrOutOfMemory},
	} {
		w.host.fail = c.fail
		err := w.EcallRunOcalls(ctx)
		if !errors.Is(err, c.want) || !errors.Is(err, errReason) || !strings.Contains(err.Error(), "ocall_nothing") {
			t.Errorf("the OCALL fails with %v, the ECALL with %v; want %v", c.fail, err, c.want)
		}
	}
	// The next call on the same frame knows nothing of it.
	w.host.fail = nil
	if err := w.Type2(ctx); !errors.Is(err, status.ErrUnexpected) || errors.Is(err, errReason) {
		t.Error(err)
	}
}
