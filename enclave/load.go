package enclave

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// Load creates an enclave from an image: ECREATE, EADD, EEXTEND, EINIT and,
// for an Intel SDK enclave, the INIT ECALL. What EINIT refuses is returned as
// the isa.ErrorCode it gave, what the INIT ECALL does as a Status. If ctx ends,
// Load gives up between two pages, or stops the INIT ECALL, with ctx's error.
func (m *Machine) Load(ctx context.Context, img *image.Image, opts ...Option) (*Enclave, error) {
	var o options
	for _, f := range opts {
		f(&o)
	}
	switch {
	case img.Mode == image.ModeSimulation:
		return nil, ErrSimulation
	case img.SigStruct == nil:
		return nil, ErrUnsigned
	}
	if err := checkMemory(img, o.force); err != nil {
		return nil, err
	}
	e := &Enclave{m: m, img: img, opt: o}
	m.loaded.Add(1)
	if err := e.build(ctx); err != nil {
		return nil, errors.Join(err, e.unload())
	}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, e.Destroy())
	}
	return e, nil
}

// checkMemory refuses an image that the machine cannot hold. Pages that
// nothing touches cost nothing, but the SDK's runtime zeroes its whole heap
// at INIT.
func checkMemory(img *image.Image, force bool) error {
	need := img.HeapSize
	for i := range img.Runs {
		if r := &img.Runs[i]; r.Data != nil {
			need += uint64(len(r.Data))
		} else if r.Fill != 0 {
			need += r.Pages * isa.PageSize
		}
	}
	have, known := host.AvailableMemory()
	if !known || need <= have || force {
		return nil
	}
	return fmt.Errorf("%w: %s to start, %s available: free memory, or force it", ErrMemory, host.Bytes(need), host.Bytes(have))
}

// secsFor chooses the SECS as Intel's runtime does: what the image asks for,
// as far as the platform has it.
func (e *Enclave) secsFor() *isa.SECS {
	p, img := e.m.Processor(), e.img
	css := img.SigStruct
	flags := img.Attributes.Flags &^ (isa.AttrInit | isa.AttrDebug)
	if e.opt.debug {
		flags |= isa.AttrDebug
	}
	s := &isa.SECS{
		Size:         img.Size,
		BaseAddr:     e.rng.Base(),
		SSAFrameSize: img.SSAFrameSize,
		MiscSelect:   (css.MiscSelect | img.MiscSelect) & p.MiscSelect(),
		Attributes:   isa.Attributes{Flags: flags & p.Attributes(), XFRM: img.Attributes.XFRM & p.XFRM()},
	}
	if flags&isa.AttrKSS != 0 {
		s.ConfigID, s.ConfigSVN = e.opt.configID, e.opt.configSVN
	}
	return s
}

// build makes the enclave up to EINIT and maps it.
func (e *Enclave) build(ctx context.Context) error {
	var err error
	if e.rng, err = e.m.engine.Reserve(e.img.Size, e.img.Base); err != nil {
		return err
	}
	p := e.m.Processor()
	page, err := e.pages(1)
	if err != nil {
		return err
	}
	e.secs = page[0].PA
	if err := p.ECREATE(e.secs, cpu.CreateInfo{SECS: e.secsFor(), SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTSECS)}}); err != nil {
		return fmt.Errorf("enclave: %w", err)
	}
	var added []cpu.Mapping
	for i := range e.img.Runs {
		if added, err = e.addRun(ctx, &e.img.Runs[i], added); err != nil {
			return err
		}
	}
	if err := e.launch(ctx); err != nil {
		return err
	}
	for _, run := range added {
		if err := e.rng.Map(run.Linear, run.PA, run.Pages, run.Perm); err != nil {
			return err
		}
	}
	base := e.rng.Base()
	var functions []cpu.Function
	for _, s := range e.img.Symbols {
		if s.Size > 0 {
			functions = append(functions, cpu.Function{Start: base + s.Offset, End: base + s.Offset + s.Size})
		}
	}
	return e.rng.Initialized(functions)
}

// pages takes count EPC pages: one run, unless the EPC is fragmented.
func (e *Enclave) pages(count uint64) ([]cpu.PageRun, error) {
	runs, err := e.m.alloc.Alloc(count)
	if err != nil {
		return nil, fmt.Errorf("enclave: %w: %w", ErrOutOfEPC, err)
	}
	e.epc = append(e.epc, runs...)
	return runs, nil
}

// addRun adds and measures the pages of a run, and appends where they are to
// be mapped to added.
func (e *Enclave) addRun(ctx context.Context, r *image.Run, added []cpu.Mapping) ([]cpu.Mapping, error) {
	epc, err := e.pages(r.Pages)
	if err != nil {
		return nil, err
	}
	perm := cpu.Perm(r.Flags & isa.SecInfoRWX)
	if r.Flags.PageType() == isa.PTTCS {
		perm = cpu.PermR | cpu.PermW // as the Linux driver maps it
	}
	next := uint64(0) // page of the run
	for _, part := range epc {
		added = append(added, cpu.Mapping{
			Linear: e.rng.Base() + r.Offset + next*isa.PageSize, Pages: part.Pages, PA: part.PA, Perm: perm,
		})
		for i := range part.Pages {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("enclave: stopped while its pages were added: %w", err)
			}
			if err := e.addPage(part.PA+cpu.PA(i*isa.PageSize), r, next); err != nil {
				return nil, fmt.Errorf("enclave: page at offset %#x: %w", r.Offset+next*isa.PageSize, err)
			}
			next++
		}
	}
	return added, nil
}

// addPage adds and measures page n of a run.
func (e *Enclave) addPage(pa cpu.PA, r *image.Run, n uint64) error {
	var src []byte // nil for zeros
	if end := (n + 1) * isa.PageSize; end <= uint64(len(r.Data)) {
		src = r.Data[n*isa.PageSize : end]
	} else if n*isa.PageSize < uint64(len(r.Data)) || r.Data == nil && r.Fill != 0 {
		src = make([]byte, isa.PageSize)
		r.Page(n, src)
	}
	add := cpu.AddInfo{
		LinAddr: e.rng.Base() + r.Offset + n*isa.PageSize, Src: src, SecInfo: isa.SecInfo{Flags: r.Flags}, SECS: e.secs,
	}
	if err := e.m.Processor().EADD(pa, add); err != nil {
		return err
	}
	return e.extend(pa, r)
}

const chunkSize = 256 // bytes that one EEXTEND measures

func (e *Enclave) extend(pa cpu.PA, r *image.Run) error {
	p := e.m.Processor()
	if r.Measured {
		for off := cpu.PA(0); off < isa.PageSize; off += chunkSize {
			if err := p.EEXTEND(pa+off, e.secs); err != nil {
				return err
			}
		}
	}
	for _, c := range r.Chunks {
		if err := p.EEXTEND(pa+cpu.PA(c)*chunkSize, e.secs); err != nil {
			return err
		}
	}
	return nil
}

// launch performs EINIT, and if that wants a launch token gets one.
func (e *Enclave) launch(ctx context.Context) error {
	err := e.einit(e.opt.token)
	if e.opt.tokens == nil || e.opt.token != nil || !errors.Is(err, isa.ErrInvalidEinitToken) {
		return err
	}
	css := e.img.SigStruct
	token, terr := e.opt.tokens(ctx, css.EnclaveHash, &css.Modulus, e.SECS().Attributes)
	if terr != nil {
		return fmt.Errorf("%w: no launch token: %w", err, terr)
	}
	return e.einit(token)
}

// einit performs EINIT. Unless launch control is locked, it first writes the
// signer to IA32_SGXLEPUBKEYHASH, as the Linux driver does.
func (e *Enclave) einit(token *isa.EinitToken) error {
	css := e.img.SigStruct
	e.m.launch.Lock()
	defer e.m.launch.Unlock()
	if !e.m.locked {
		e.m.Processor().SetLEPubKeyHash(sign.MRSigner(css))
	}
	if err := e.m.Processor().EINIT(e.secs, css, token); err != nil {
		return fmt.Errorf("enclave: EINIT: %w", err)
	}
	return nil
}

// start makes the threads and, for an Intel SDK enclave, the INIT ECALL.
func (e *Enclave) start(ctx context.Context) error {
	if err := e.makeThreads(); err != nil {
		return err
	}
	if e.img.Format != image.FormatIntel || e.opt.noInit {
		return nil
	}
	features, err := e.Alloc(systemFeaturesSize)
	if err != nil {
		return err
	}
	defer features.Free()
	copy(features.Bytes(), systemFeatures())
	if err := e.command(ctx, cmdInit, features.Addr()); err != nil {
		return fmt.Errorf("INIT ECALL: %w", err)
	}
	return nil
}
