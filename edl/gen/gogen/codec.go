package gogen

import (
	"fmt"
	"strings"
)

// blockAt is an expression for a block from an offset on.
func blockAt(block, off string) string {
	block = blockName(block)
	if off == "0" || off == "" {
		return block
	}
	return block + "[" + off + ":]"
}

// blockName spells a block by itself: that of a call is embedded.
func blockName(block string) string {
	if block == "f" {
		return "f.Block"
	}
	return block
}

// addOffset adds to an offset.
func addOffset(off, more string) string {
	if off == "0" {
		return more
	}
	return off + "+" + more
}

// encoder and decoder are functions of a value's address and a block.
func (g *generator) encoder(t *goType) string { return g.coder(t, "EncodeC", "PutBinary") }
func (g *generator) decoder(t *goType) string { return g.coder(t, "DecodeC", "GetBinary") }

func (g *generator) coder(t *goType, method, function string) string {
	if t.codec == codecBinary {
		return fmt.Sprintf("%s%s[%s]", g.use(importEdge), function, g.spell(t))
	}
	return fmt.Sprintf("(*%s).%s", g.spell(t), method)
}

// put writes a value to a block. A value with methods must be addressable.
func (g *generator) put(t *goType, block, off, val string) {
	switch t.codec {
	case codecInt:
		if u := intName(t.size, false); t.name != u && t.name != "byte" && t != pointerType {
			val = u + "(" + val + ")"
		}
		g.f("%s.PutU%d(%s, %s)\n", block, 8*t.size, off, val)
	case codecFloat:
		g.f("%s.PutF%d(%s, %s)\n", block, 8*t.size, off, val)
	case codecBool:
		g.f("%s.PutBool(%s, %s)\n", block, off, val)
	case codecMethods:
		g.f("%s.EncodeC(%s)\n", val, blockAt(block, off))
	case codecBinary:
		g.f("%sPutBinary(&%s, %s[:%d:%d])\n", g.use(importEdge), val, blockAt(block, off), t.size, t.size)
	}
}

// get is an expression that reads a number, "" for other types.
func (g *generator) get(t *goType, block, off string) string {
	switch t.codec {
	case codecInt:
		s := fmt.Sprintf("%s.U%d(%s)", block, 8*t.size, off)
		if t.name == intName(t.size, false) || t.name == "byte" || t == pointerType {
			return s
		}
		return g.spell(t) + "(" + s + ")"
	case codecFloat:
		return fmt.Sprintf("%s.F%d(%s)", block, 8*t.size, off)
	case codecBool:
		return fmt.Sprintf("%s.Bool(%s)", block, off)
	}
	return ""
}

// take reads a value from a block into val.
func (g *generator) take(t *goType, block, off, val string) {
	switch t.codec {
	case codecMethods:
		g.f("%s.DecodeC(%s)\n", val, blockAt(block, off))
	case codecBinary:
		g.f("%sGetBinary(&%s, %s[:%d])\n", g.use(importEdge), val, blockAt(block, off), t.size)
	default:
		g.f("%s = %s\n", val, g.get(t, block, off))
	}
}

// putArray writes an array of any dimensions, takeArray reads one.
func (g *generator) putArray(t *goType, dims []uint64, block, off, val string) {
	g.array(t, dims, block, off, val, g.putSlice)
}

func (g *generator) takeArray(t *goType, dims []uint64, block, off, val string) {
	g.array(t, dims, block, off, val, g.takeSlice)
}

// array loops over all dimensions but the last, which slice puts or takes.
func (g *generator) array(t *goType, dims []uint64, block, off, val string, slice func(t *goType, block, val string)) {
	if len(dims) == 1 {
		slice(t, blockAt(block, off), val+"[:]")
		return
	}
	i, step := g.loop(t, dims, val)
	g.array(t, dims[1:], block, addOffset(off, step), val+"["+i+"]", slice)
	g.f("}\n")
}

// loop opens a loop over the outer dimension of an array and returns its
// variable, and the offset of an element.
func (g *generator) loop(t *goType, dims []uint64, val string) (i, step string) {
	root, _, _ := strings.Cut(val, "[")
	for n := 0; i == "" || i == root || strings.Contains(val, "["+i+"]"); n++ {
		i = string(rune('i' + n))
		if n > 3 { // i to l, and then i4 and on
			i = fmt.Sprintf("i%d", n)
		}
	}
	g.f("for %s := range %s {\n", i, val)
	return i, fmt.Sprintf("%d*%s", product(dims[1:])*t.size, i)
}

// putSlice writes a slice to a block, as much as there is room for.
func (g *generator) putSlice(t *goType, block, val string) {
	if t.bytes() {
		g.f("copy(%s, %s)\n", block, val)
		return
	}
	items, more := g.slice(t, g.encoder)
	g.f("%sPut%s(%s, %s%s)\n", g.use(importEdge), items, block, val, more)
}

// takeSlice reads into a slice that there is.
func (g *generator) takeSlice(t *goType, block, val string) {
	if t.bytes() {
		g.f("copy(%s, %s)\n", val, block)
		return
	}
	items, more := g.slice(t, g.decoder)
	g.f("%sGet%s(%s, %s%s)\n", g.use(importEdge), items, val, block, more)
}

// newSlice is an expression for a slice of what is in a block. own says that
// the block is nobody else's, so that bytes need no copy.
func (g *generator) newSlice(t *goType, block string, own bool) string {
	switch {
	case t.bytes() && own:
		return block
	case t.bytes():
		return g.use("bytes") + "Clone(" + block + ")"
	}
	items, more := g.slice(t, g.decoder)
	if items != "Each" { // nothing else says the type
		items += "[" + g.spell(t) + "]"
	}
	return fmt.Sprintf("%s%s(%s%s)", g.use(importEdge), items, block, more)
}

// slice spells how package edge handles a slice: the end of the names of its
// functions, and their last arguments. coder spells that of an element.
func (g *generator) slice(t *goType, coder func(*goType) string) (items, more string) {
	switch t.codec {
	case codecInt:
		return "Ints", ""
	case codecFloat:
		return "Floats", fmt.Sprintf(", %d", t.size)
	case codecBool:
		return "Bools", ""
	}
	return "Each", fmt.Sprintf(", %d, %s", t.size, coder(t))
}
