// Command foreign calls a function of a C object. The test compiles it: with a
// C file beside it, the go command would want cgo.
package main

func call()

func main() { call() }
