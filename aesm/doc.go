// Package aesm speaks the protocol of AESM, the daemon through which programs
// on a machine with SGX get quotes and launch tokens: messages, a client, and a
// server into which the makers of quotes and tokens are plugged.
//
// A program connects to a Unix socket and sends a frame: four bytes of length,
// little endian, and a message of protocol buffers (proto2, package
// aesm.message of Intel's SGX SDK). One frame comes back. Client works with
// Intel's daemon and with this package's Server; Server with Intel's client
// libraries and those of other people.
//
// The package makes no quote itself and knows no processor. What is behind the
// socket are a QuoteService, LaunchService and EPIDService; what is missing is
// answered with AESM_SERVICE_UNAVAILABLE. Services.Answer is the same without
// a socket.
//
// Who answers at the socket is not authenticated, and need not be: a quote is
// verified by whom it is for, and a launch token by the processor.
//
// Locks: the connection table of a running server has the only one, and holds
// it for no I/O.
package aesm
