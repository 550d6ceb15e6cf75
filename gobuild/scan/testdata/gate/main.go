// Command gate is built with the gates of gate.s.txt in place of system calls.
package main

func main() { println("gate") }
