// Command hello is scanned by the tests.
package main

func main() { println("hello") }
