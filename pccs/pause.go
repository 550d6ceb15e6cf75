package pccs

import "context"

type pauseKey struct{}

// WithPause returns a context for requests of a client. When such a request begins
// to wait for the service behind, pause is called, and what it returned when that
// is over: so that a server need not count it among those that it works at. If
// pause returns nil, too many wait, and the request fails with Busy. Several
// goroutines may call both at the same time.
func WithPause(ctx context.Context, pause func() (resume func())) context.Context {
	return context.WithValue(ctx, pauseKey{}, pause)
}

// paused begins to wait. It returns nil if there are too many who do.
func paused(ctx context.Context) (resume func()) {
	if pause, ok := ctx.Value(pauseKey{}).(func() func()); ok {
		return pause()
	}
	return func() {}
}

// unattended is a context for work that nobody in particular waits for.
func unattended(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), pauseKey{}, nil)
}
