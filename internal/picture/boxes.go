package picture

import (
	"slices"
	"strconv"
	"strings"
)

// area is a rectangle, of cells or on the canvas.
type area struct{ x, y, w, h int }

type box struct {
	area // of cells
	text []string
	statement
}

// grid says where cells are on the canvas.
type grid struct {
	x, y       int // of the first cell
	w, h       int // of a cell without the gap after it
	gapX, gapY int
}

func (g *grid) place(cells area) area {
	return area{
		g.x + cells.x*(g.w+g.gapX), g.y + cells.y*(g.h+g.gapY),
		cells.w*(g.w+g.gapX) - g.gapX, cells.h*(g.h+g.gapY) - g.gapY,
	}
}

// Measures of pictures with boxes.
const (
	groupPad  = 12 // between a group and its boxes
	groupHead = 26 // above them, for its name
	boxPad    = 10
	labelPad  = 8 // between an arrow that goes down and its text
)

// boxes draws boxes on a grid, groups around them and arrows between them.
func (p *picture) boxes() ([]byte, error) {
	g := grid{x: margin, y: top, gapX: 90, gapY: 44}
	var names []string
	var all, groups []box
	var arrows []*arrow
	for _, s := range p.statements {
		var err error
		switch s.word {
		case "gap":
			err = g.gaps(&s)
		case "box":
			var n, rest string
			var b box
			if n, rest, err = s.named(names); err == nil {
				b, err = s.box(rest)
			}
			names, all = append(names, n), append(all, b)
		case "group":
			var b box
			b, err = s.box(s.rest)
			groups = append(groups, b)
		default:
			var a *arrow
			a, err = s.arrow(names)
			arrows = append(arrows, a)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, (&statement{line: 1}).wrong("there is no box")
	}

	columns, rows := 0, 0
	for i, b := range slices.Concat(all, groups) {
		columns, rows = max(columns, b.x+b.w), max(rows, b.y+b.h)
		if i < len(all) { // as high as the fullest box needs it
			g.h = max(g.h, (len(b.text)*lineHeight+2*boxPad-(b.h-1)*g.gapY)/b.h)
		}
	}
	if len(groups) > 0 {
		g.x, g.y = g.x+groupPad, g.y+groupHead
	}
	g.w = (width - 2*g.x - (columns-1)*g.gapX) / columns

	var c canvas
	for _, b := range groups {
		r := g.place(b.area)
		c.rect("group", r.x-groupPad, r.y-groupHead, r.w+2*groupPad, r.h+groupHead+groupPad)
		c.text("soft", "start", r.x-groupPad+8, r.y-groupHead/2, b.text[:1])
	}
	for _, b := range all {
		r := g.place(b.area)
		if wide(b.text) > r.w-boxPad {
			return nil, b.wrong("%q has no room", b.text)
		}
		c.rect("box", r.x, r.y, r.w, r.h)
		c.heading(r.x+r.w/2, r.y+r.h/2, b.text)
	}
	for i, a := range arrows {
		n, of := 1, 2 // the nth of those between the same two boxes
		for j, b := range arrows {
			if j != i && (b.from == a.from && b.to == a.to || b.from == a.to && b.to == a.from) {
				of++
				if j < i {
					n++
				}
			}
		}
		if err := c.connect(a, g.place(all[a.from].area), g.place(all[a.to].area), n, of); err != nil {
			return nil, err
		}
	}
	end := g.place(area{0, rows - 1, 1, 1})
	return c.svg(p.title, p.alt, end.y+end.h+g.x), nil
}

// gaps reads `gap 90 40`.
func (g *grid) gaps(s *statement) error {
	x, y, _ := strings.Cut(s.rest, " ")
	var err, err2 error
	g.gapX, err = strconv.Atoi(x)
	g.gapY, err2 = strconv.Atoi(y)
	if err != nil || err2 != nil || min(g.gapX, g.gapY) < 10 || max(g.gapX, g.gapY) > 300 {
		return s.wrong("a gap has two numbers from 10 to 300")
	}
	return nil
}

// box reads a place, a size that may be left out, and a text.
func (s *statement) box(text string) (box, error) {
	x, y, rest, ok := pair(text, ",")
	w, h := 1, 1
	if a, b, r, sized := pair(rest, "x"); sized {
		w, h, rest = a, b, r
	}
	if !ok || w < 1 || h < 1 || max(x+w, y+h) > maxCells || rest == "" {
		return box{}, s.wrong("it has a place such as 0,1, perhaps a size such as 2x1, and a text")
	}
	return box{area{x, y, w, h}, lines(rest), *s}, nil
}

// connect draws an arrow: straight across where the boxes share rows, straight down
// where they share columns, and else across and then down. n of how many says where
// between the ends of what they share.
func (c *canvas) connect(a *arrow, from, to area, n, of int) error {
	class := "arrow"
	if a.answer {
		class = "arrow answer"
	}
	middle := func(low, high int) int { return low + (high-low)*n/of }
	lowY, highY := max(from.y, to.y), min(from.y+from.h, to.y+to.h)
	lowX, highX := max(from.x, to.x), min(from.x+from.w, to.x+to.w)
	var x1, y1, x2, y2 int
	switch {
	case lowY < highY:
		y1 = middle(lowY, highY)
		x1, x2, y2 = from.x+from.w, to.x, y1
		if from.x > to.x {
			x1, x2 = from.x, to.x+to.w
		}
		if wide(a.text) > max(x1-x2, x2-x1) {
			return a.wrong("%q is wider than its arrow", a.text)
		}
		c.path(class, x1, y1, x2, y2)
		c.head(x2, y2, x1, y1)
		c.text("label", "middle", (x1+x2)/2, y1-5-len(a.text)*lineHeight/2, a.text)
	case lowX < highX:
		x1 = middle(lowX, highX)
		y1, y2, x2 = from.y+from.h, to.y, x1
		if from.y > to.y {
			y1, y2 = from.y, to.y+to.h
		}
		if x1+labelPad+wide(a.text) > width {
			return a.wrong("%q has no room", a.text)
		}
		c.path(class, x1, y1, x2, y2)
		c.head(x2, y2, x1, y1)
		c.text("label", "start", x1+labelPad, (y1+y2)/2, a.text)
	default:
		y1, x2 = from.y+from.h/2, to.x+to.w/2
		x1, y2 = from.x+from.w, to.y
		if from.x > to.x {
			x1 = from.x
		}
		if from.y > to.y {
			y2 = to.y + to.h
		}
		c.path(class, x1, y1, x2, y1, x2, y2)
		c.head(x2, y2, x2, y1)
		c.text("label", "middle", (x1+x2)/2, y1-5-len(a.text)*lineHeight/2, a.text)
		if a.both {
			c.head(x1, y1, x2, y1)
		}
		return nil
	}
	if a.both {
		c.head(x1, y1, x2, y2)
	}
	return nil
}
