package server

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// What those who run platforms, and those who run the service, do.

// maxRegistration bounds a registration, whose largest part is a manifest of at
// most 112884 digits, and a policy, in bytes.
const maxRegistration = 256 << 10

// adminPatience is how many times longer than others an administrator's request waits for
// another one to end.
const adminPatience = 30

// register takes a platform in.
func (s *Server) register(r *request) (*answer, error) {
	update, err := r.choice("update", "standard", "early", "all")
	if err != nil {
		return nil, err
	}
	b, err := r.small(min(s.o.MaxBody, maxRegistration))
	if err != nil {
		return nil, err
	}
	registration, err := exchange.ParseRegistration(b)
	if err != nil {
		return nil, bad(err.Error())
	}
	registration.Update = update
	if err := s.service.Register(r.ctx, registration); err != nil {
		return nil, err
	}
	return done(), nil
}

// small reads the whole of a body.
func (r *request) small(limit int64) ([]byte, error) {
	body, err := r.body(limit)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, unread(err)
	}
	return b, nil
}

// unread is the error that a body was not read to its end, or that what is in it
// is wrong.
func unread(err error) error {
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return large(big.Limit)
	}
	return bad(err.Error())
}

// listPlatforms drains the queue of registrations, or lists platforms in the
// cache. HEAD drains nothing: who asks so gets no list.
func (s *Server) listPlatforms(r *request) (*answer, error) {
	list, err := s.chosen(r, r.Method == http.MethodHead)
	if err != nil {
		return nil, err
	}
	a := ok(typeJSON, exchange.AppendPlatforms(nil, list))
	a.add("platform-count", strconv.Itoa(len(list)))
	return a, nil
}

// chosen returns the registrations or platforms that are asked for.
func (s *Server) chosen(r *request, keep bool) ([]store.Registration, error) {
	source, _ := r.param("source")
	switch source {
	case "", "reg":
		return s.service.Registrations(r.ctx, store.New, keep)
	case "reg_na":
		return s.service.Registrations(r.ctx, store.NotAvailable, keep)
	}
	fmspcs, err := fmspcList("source", source)
	if err != nil {
		return nil, err
	}
	return s.service.Platforms(r.ctx, fmspcs)
}

// fmspcList reads a list of FMSPCs in brackets, which may be empty.
func fmspcList(name, s string) ([]string, error) {
	inner, begins := strings.CutPrefix(strings.TrimSpace(s), "[")
	inner, ends := strings.CutSuffix(inner, "]")
	if !begins || !ends {
		return nil, bad("parameter " + name + " is not a list of FMSPCs in brackets")
	}
	if strings.TrimSpace(inner) == "" {
		return nil, nil
	}
	var list []string
	for part := range strings.SplitSeq(inner, ",") {
		f, err := digits("an FMSPC of parameter "+name, strings.Trim(strings.TrimSpace(part), `"'`), 12)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// putCollateral takes in what an administrator brings: all of it, or nothing.
func (s *Server) putCollateral(r *request) (*answer, error) {
	body, err := r.body(s.o.MaxBody)
	if err != nil {
		return nil, err
	}
	c, err := exchange.ParseCollateral(body)
	if err != nil {
		return nil, unread(err)
	}
	if err := enter(r.ctx, s.alone, adminPatience*s.patience); err != nil {
		return nil, err
	}
	defer func() { <-s.alone }()
	if err := s.service.PutCollateral(r.ctx, c); err != nil {
		return nil, err
	}
	return done(), nil
}

// refresh has all documents fetched again, or the certificates of platforms.
func (s *Server) refresh(r *request) (*answer, error) {
	kind, given := r.param("type")
	if given && kind != "" && kind != "certs" {
		return nil, bad("parameter type is not certs: without it, documents are refreshed")
	}
	var fmspcs []string
	if fmspc, _ := r.param("fmspc"); kind == "certs" && fmspc != "" && !strings.EqualFold(fmspc, "all") {
		if !strings.HasPrefix(fmspc, "[") { // one may stand alone
			fmspc = "[" + fmspc + "]"
		}
		var err error
		if fmspcs, err = fmspcList("fmspc", fmspc); err != nil {
			return nil, err
		}
	}
	if err := enter(r.ctx, s.alone, adminPatience*s.patience); err != nil {
		return nil, err
	}
	defer func() { <-s.alone }()
	if err := s.service.Refresh(r.ctx, kind == "certs", fmspcs); err != nil {
		return nil, err
	}
	return done(), nil
}

// putPolicy keeps an appraisal policy, and tells its ID.
func (s *Server) putPolicy(r *request) (*answer, error) {
	b, err := r.small(s.o.MaxBody)
	if err != nil {
		return nil, err
	}
	policy, err := exchange.ParsePolicy(b)
	if err != nil {
		return nil, bad(err.Error())
	}
	id, err := s.service.PutPolicy(r.ctx, policy)
	if err != nil {
		return nil, err
	}
	return ok(typeHTML, []byte(id)), nil
}

// policies are the default policies of an FMSPC.
func (s *Server) policies(r *request) (*answer, error) {
	fmspc, err := r.hex("fmspc", 12)
	if err != nil {
		return nil, err
	}
	list, err := s.service.Policies(r.ctx, fmspc)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, notCached("no default appraisal policy for FMSPC " + fmspc + " is there: an administrator puts one to appraisalpolicy")
	}
	var bodies []string
	for _, p := range list {
		bodies = append(bodies, p.Body)
	}
	return ok(typeHTML, []byte(strings.Join(bodies, ","))), nil
}
