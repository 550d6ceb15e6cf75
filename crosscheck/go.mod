module github.com/feidi-dev/feidi/crosscheck

go 1.26.0

require (
	github.com/feidi-dev/feidi v0.0.0
	github.com/google/go-tdx-guest v0.3.1
	google.golang.org/protobuf v1.31.0
)

require (
	github.com/google/logger v1.1.1 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/arch v0.32.0 // indirect
	golang.org/x/crypto v0.17.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/feidi-dev/feidi => ../
