package picture

import (
	"fmt"
	"strings"
)

// Measures of all pictures, in SVG units, which are pixels as a rule.
const (
	width      = 900
	margin     = 20
	fontSize   = 13
	lineHeight = 17
	headSize   = 7 // of an arrow
)

// style has the colours of light and dark. The background is the picture's own,
// because a page may be dark where the reader's system is not.
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}` +
	`.title{font-weight:600;font-size:15px}.strong{font-weight:600}.soft{fill:#59636e}` +
	`.label{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}` +
	`.back{fill:#fff;stroke:#d1d9e0}.box{fill:#eef4fb;stroke:#5b7ea6}.note{fill:#fff8e1;stroke:#b8963e}` +
	`.group{fill:none;stroke:#8c959f;stroke-dasharray:5 4}.life{stroke:#afb8c1;stroke-dasharray:3 4}` +
	`.arrow{fill:none;stroke:#1f2328;stroke-width:1.4}.answer{stroke-dasharray:6 4}.head{fill:#1f2328}` +
	`@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#a5aeb8}.label{stroke:#0d1117}` +
	`.back{fill:#0d1117;stroke:#3d444d}.box{fill:#16263a;stroke:#6c93c0}.note{fill:#2c2510;stroke:#b8963e}` +
	`.group{stroke:#6e7681}.life{stroke:#484f58}.arrow{stroke:#e6edf3}.head{fill:#e6edf3}}`

// canvas is what is drawn on.
type canvas struct{ strings.Builder }

// svg returns the finished picture.
func (c *canvas) svg(title, alt string, height int) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>%s</title>
<desc>%s</desc>
<style>%s</style>
<rect class="back" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>
<text class="title" x="%d" y="%d">%s</text>
%s</svg>
`, width, height, width, height, escape(title), escape(alt), style, width-1, height-1, margin, margin+12, escape(title), c)
}

// top is where drawings begin, below the title.
const top = margin + 32

func (c *canvas) rect(class string, x, y, w, h int) {
	fmt.Fprintf(c, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", class, x, y, w, h)
}

// path draws a line through points, which are x and y in turn.
func (c *canvas) path(class string, points ...int) {
	c.WriteString(`<path class="` + class + `" d="`)
	for i := 0; i < len(points); i += 2 {
		fmt.Fprintf(c, "%c%d %d", "ML"[min(i, 1)], points[i], points[i+1])
	}
	c.WriteString("\"/>\n")
}

// head draws an arrow's head whose point is at x, y, seen from another point on
// the same row or column.
func (c *canvas) head(x, y, fromX, fromY int) {
	dx, dy := sign(x-fromX)*headSize, sign(y-fromY)*headSize
	px, py := dy/2, dx/2 // half of it to either side
	fmt.Fprintf(c, "<path class=\"head\" d=\"M%d %dL%d %dL%d %dZ\"/>\n", x, y, x-dx+px, y-dy+py, x-dx-px, y-dy-py)
}

// text writes lines around the middle of which is y. anchor is start or middle.
func (c *canvas) text(class, anchor string, x, y int, lines []string) {
	y += 5 - (len(lines)-1)*lineHeight/2
	for i, l := range lines {
		fmt.Fprintf(c, "<text class=%q text-anchor=%q x=\"%d\" y=\"%d\">%s</text>\n", class, anchor, x, y+i*lineHeight, escape(l))
	}
}

// wide estimates how wide the widest of lines is, a little too much for most fonts.
func wide(lines []string) int {
	most := 0.0
	for _, l := range lines {
		w := 0.0
		for _, r := range l {
			switch {
			case strings.ContainsRune("iljtfrI.,:;'|!()[]/- ", r):
				w += 0.36
			case strings.ContainsRune("mwMW@%→", r):
				w += 0.92
			case r >= 'A' && r <= 'Z':
				w += 0.70
			default:
				w += 0.58
			}
		}
		most = max(most, w)
	}
	return int(most * fontSize)
}

func sign(x int) int { return min(max(x, -1), 1) }

func escape(s string) string {
	s = strings.ToValidUTF8(s, "�")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff { // not of XML
			return ' '
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
