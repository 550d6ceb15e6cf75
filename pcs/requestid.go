package pcs

import "context"

// requestID is the key of a context's value.
type requestID struct{}

// WithRequestID has the requests made with the context carry an ID in the header
// Request-ID, so that a service's log tells whose they were. A PCCS answers with
// it and hands it on; Intel's service answers with one of its own.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestID{}, id)
}
