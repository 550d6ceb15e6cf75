package store

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// connect makes the pools of connections to what an address names.
func connect(ctx context.Context, address string) (*Store, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	var err error
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	case "postgres", "postgresql":
		if err = unambiguous(rest); err == nil {
			return openPostgres(ctx, address)
		}
	case "mysql", "mariadb":
		if err = unambiguous(rest); err == nil {
			return openMySQL(ctx, "mysql:"+rest)
		}
	default:
		if !strings.Contains(address, "://") {
			return openSQLite(ctx, address)
		}
		err = fmt.Errorf("%w: a database is sqlite:PATH, postgres://... or mysql://..., and not %.20q", ErrInvalid, scheme)
	}
	return nil, fmt.Errorf("pccs/store: open: %w", err)
}

const addressHint = "write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE or mysql://..., with the characters /?#@% of a password as %2F, %3F, %23, %40, %25"

// unambiguous refuses addresses in which a password may pass for a host, a name or a
// parameter: these are in errors.
func unambiguous(rest string) error {
	rest, isURL := strings.CutPrefix(rest, "//")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	user, _, _ := strings.Cut(authority, "@")
	_, err := url.PathUnescape(user)
	if !isURL || err != nil || strings.Count(authority, "@") > 1 || user == authority && strings.Contains(rest, "@") {
		return fmt.Errorf("%w: the address: %s", ErrInvalid, addressHint)
	}
	return nil
}
