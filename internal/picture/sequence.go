package picture

import "slices"

// Measures of sequence charts.
const (
	actorGap  = 12 // between the boxes of two actors
	rowGap    = 16 // between two rows
	notePad   = 8
	arrowRoom = 8 // that the text of an arrow leaves on each side
)

// row is a row of a sequence chart: an arrow, a note or a part.
type row struct {
	*arrow
	note int // the actor, or -1
	text []string
	statement
}

// sequence draws a chart of messages: actors in columns, time going down.
func (p *picture) sequence() ([]byte, error) {
	var names []string
	var titles [][]string
	var rows []row
	for _, s := range p.statements {
		switch s.word {
		case "actor":
			actor, text, err := s.named(names)
			if err != nil {
				return nil, err
			}
			if len(rows) > 0 || len(names) == maxCells {
				return nil, s.wrong("at most %d actors stand before all rows", maxCells)
			}
			names, titles = append(names, actor), append(titles, lines(text))
		case "part":
			rows = append(rows, row{note: -1, text: lines(s.rest), statement: s})
		case "note":
			actor, text, err := s.named(nil)
			if err != nil {
				return nil, err
			}
			i := slices.Index(names, actor)
			if i < 0 || text == "" {
				return nil, s.wrong("a note has an actor and a text")
			}
			rows = append(rows, row{note: i, text: lines(text), statement: s})
		default:
			a, err := s.arrow(names)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row{arrow: a, note: -1, text: a.text, statement: s})
		}
	}
	if len(names) < 2 {
		return nil, (&statement{line: 1}).wrong("a sequence has two actors or more")
	}
	return p.chart(titles, rows)
}

func (p *picture) chart(titles [][]string, rows []row) ([]byte, error) {
	step := (width - 2*margin) / len(titles)
	x := func(actor int) int { return margin + actor*step + step/2 }

	high := 0
	for _, t := range titles {
		high = max(high, len(t)*lineHeight+2*notePad)
		if wide(t) > step-actorGap-2*notePad {
			return nil, (&statement{line: 1}).wrong("%q has no room", t)
		}
	}
	var body canvas
	y := top + high + rowGap
	for _, r := range rows {
		h := len(r.text) * lineHeight
		switch {
		case r.arrow != nil:
			from, to := x(r.from), x(r.to)
			if wide(r.text) > max(from-to, to-from)-2*arrowRoom {
				return nil, r.wrong("%q is wider than its arrow", r.text)
			}
			body.text("label", "middle", (from+to)/2, y+h/2, r.text)
			y += h + 6
			class := "arrow"
			if r.answer {
				class = "arrow answer"
			}
			body.path(class, from, y, to, y)
			body.head(to, y, from, y)
			if r.both {
				body.head(from, y, to, y)
			}
		case r.note >= 0:
			w := wide(r.text) + 2*notePad
			left := min(max(x(r.note)-w/2, margin), width-margin-w)
			if left < margin {
				return nil, r.wrong("the note has no room")
			}
			body.rect("note", left, y, w, h+notePad)
			body.text("", "middle", left+w/2, y+(h+notePad)/2, r.text)
			y += h + notePad
		default:
			if wide(r.text) > width-2*margin-2*arrowRoom {
				return nil, r.wrong("the name of the part has no room")
			}
			y += 4
			body.path("life", margin, y+h/2, width-margin, y+h/2)
			body.text("label strong", "middle", width/2, y+h/2, r.text)
			y += h
		}
		y += rowGap
	}

	var c canvas
	for i, t := range titles {
		c.path("life", x(i), top+high, x(i), y)
		c.rect("box", x(i)-(step-actorGap)/2, top, step-actorGap, high)
		c.heading(x(i), top+high/2, t)
	}
	c.WriteString(body.String())
	return c.svg(p.title, p.alt, y+margin), nil
}

// heading writes a name, and below it softly what it is.
func (c *canvas) heading(x, y int, text []string) {
	for i, l := range text {
		class := "strong"
		if i > 0 {
			class = "soft"
		}
		c.text(class, "middle", x, y+i*lineHeight-(len(text)-1)*lineHeight/2, []string{l})
	}
}
