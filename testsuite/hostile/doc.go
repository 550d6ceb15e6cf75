// Package hostile runs a Go program in an enclave whose host lies to it, in its
// answers to system calls and in everything else that it gives the enclave, and
// sees to it that the program ends or goes on, but neither breaks nor tells a
// secret.
//
// The host is package process, which serves each request honestly; what it
// answers is changed after that. The program is in folder victim.
package hostile
