//go:build linux && amd64

package main

import (
	"hash/crc64"
	"os"
	"runtime"
	"sync"

	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/isa"
)

// A word of the secret is a number of 3 bytes below these 5, which are in no
// file: the test that looks for them computes them in the same way.
var half1, half2 uint64 = 0x9E3779B97F, 0xC0FFEE1234

//go:noinline
func word(i int) uint64 { return (half1^half2)<<24 | uint64(i)&0xFFFFFF }

// Where the secret is, beside the stacks.
var (
	inData [1 << 9]uint64
	inHeap []uint64
	sealed []byte
	tree   *node
)

// node is memory with pointers in it, and a sum of each.
type node struct {
	left, right *node
	key, sum    uint64
}

var sums struct {
	data, heap, sealed uint64
	nodes              int
}

var polynomial = crc64.MakeTable(crc64.ECMA)

func sum(w []uint64) uint64 { return crc64.Checksum(memoryOf(w), polynomial) }

func keepSecrets() {
	for i := range inData {
		inData[i] = word(i)
	}
	inHeap = make([]uint64, 1<<13)
	for i := range inHeap {
		inHeap[i] = word(i)
	}
	sealed, _ = inside.Seal(bytesOf(inHeap[:64]), nil, isa.PolicyMREnclave)
	const depth = 10
	tree = grow(depth, 1)
	sums.data, sums.heap, sums.sealed, sums.nodes = sum(inData[:]), sum(inHeap), crc64.Checksum(sealed, polynomial), 1<<depth-1
}

func bytesOf(w []uint64) []byte {
	b := make([]byte, 8*len(w))
	for i, v := range w {
		for j := range 8 {
			b[8*i+j] = byte(v >> (8 * j))
		}
	}
	return b
}

func grow(depth int, key uint64) *node {
	if depth == 0 {
		return nil
	}
	return &node{grow(depth-1, 2*key), grow(depth-1, 2*key+1), key, ^key * 7}
}

func (n *node) count(key uint64) int {
	if n == nil {
		return 0
	}
	if n.key != key || n.sum != ^key*7 {
		fail("the tree")
	}
	return 1 + n.left.count(2*key) + n.right.count(2*key+1)
}

var checking sync.Mutex

// check ends the program if memory has changed.
func check() {
	checking.Lock()
	defer checking.Unlock()
	switch {
	case sum(inData[:]) != sums.data:
		fail("the data segment")
	case sum(inHeap) != sums.heap:
		fail("the heap")
	case crc64.Checksum(sealed, polynomial) != sums.sealed:
		fail("what is sealed")
	case tree.count(1) != sums.nodes:
		fail("the number of nodes")
	}
}

func fail(what string) {
	print("CORRUPT: ", what, "\n")
	os.Exit(corrupt)
}

// withSecret runs a job with the secret on the stack below it.
//
//go:noinline
func withSecret(job func()) {
	var onStack [128]uint64
	for i := range onStack {
		onStack[i] = word(i)
	}
	job()
	for i := range onStack {
		if onStack[i] != word(i) {
			fail("the stack")
		}
	}
	runtime.KeepAlive(&onStack)
}

// A fence is memory around a buffer that nobody writes to.
const fence = 64

// fenced returns a buffer of n bytes, and what checks the memory around it.
func fenced(n int) (b []byte, intact func()) {
	all := make([]byte, n+2*fence)
	for i := range all {
		all[i] = 0xA5
	}
	return all[fence : fence+n : fence+n], func() {
		for i, c := range all {
			if (i < fence || i >= fence+n) && c != 0xA5 {
				fail("the memory around a buffer")
			}
		}
	}
}
