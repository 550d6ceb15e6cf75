// Package enclave is the untrusted runtime (uRTS): it loads an image onto a
// machine, calls into it by index, serves its OCALLs, and takes it down.
//
// A Machine is a processor with an engine that executes its enclaves. Load
// plays the driver: it adds the pages, has EINIT check the signature, maps the
// pages, and for Intel SDK enclaves makes the INIT ECALL.
//
//	import _ "github.com/feidi-dev/feidi/cpu/native" // the engine
//
//	m, err := enclave.PowerOn(enclave.MachineConfig{})
//	e, err := m.Load(ctx, img, enclave.WithOCalls(ocalls))
//	err = e.ECall(ctx, 0, block)
//
// Blocks are raw marshalling structures: ECall copies one to memory outside
// the enclave, passes its address, and copies it back. What a block points to
// must not be Go memory; Alloc gives memory that an enclave may be told of.
//
// A call's context is honoured inside the enclave, too: when it ends, the
// thread leaves by an AEX and the call fails.
//
// The package protects nothing: see the security model in docs.
//
// Locks: Enclave.mu guards the thread pool and the list of buffers, and is not
// held during a call.
package enclave
