package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var docs = filepath.Join("..", "..", "docs")

// TestDocs checks that the pictures of the documentation are those of their texts,
// and that pages have each of them, with words for who does not see it.
func TestDocs(t *testing.T) {
	texts, err := filepath.Glob(filepath.Join(docs, "pictures", "*.txt"))
	if err != nil || len(texts) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	var pictures []string
	for _, file := range texts {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Draw(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		drawn := strings.TrimSuffix(file, ".txt") + ".svg"
		if got, err := os.ReadFile(drawn); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not drawn of its text: run `go run ./internal/picture/cmd docs/pictures/*.txt` (%v)", drawn, err)
		}
		pictures = append(pictures, "pictures/"+filepath.Base(drawn))
	}

	pages, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	image := regexp.MustCompile(`!\[([^]]*)\]\(([^)]*)\)`)
	var shown []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range image.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "" {
				t.Errorf("%s: %s has no words for who does not see it", page, m[2])
			}
			if !slices.Contains(pictures, m[2]) {
				t.Errorf("%s: there is no picture %s", page, m[2])
			}
			shown = append(shown, m[2])
		}
	}
	for _, p := range pictures {
		if !slices.Contains(shown, p) {
			t.Errorf("no page has %s", p)
		}
	}
}

// element is an element of a picture, with what it says.
type element struct {
	XMLName xml.Name
	Class   string    `xml:"class,attr"`
	X       float64   `xml:"x,attr"` // the background's has a half
	Y       float64   `xml:"y,attr"`
	W       int       `xml:"width,attr"`
	H       int       `xml:"height,attr"`
	D       string    `xml:"d,attr"`
	Text    string    `xml:",chardata"`
	In      []element `xml:",any"`
}

func draw(t *testing.T, text string) []element {
	t.Helper()
	b, err := Draw(text)
	if err != nil {
		t.Fatal(err)
	}
	var e element
	if err := xml.Unmarshal(b, &e); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return e.In
}

// of returns what is drawn of the elements of a class: the path, or the text.
func of(all []element, class string) (found []string) {
	for _, e := range all {
		if e.Class == class {
			found = append(found, e.D+e.Text)
		}
	}
	return found
}

func TestSequence(t *testing.T) {
	all := draw(t, "sequence A <b> & c\nalt Two talk.\n# a comment\nactor a Alice | one\nactor b Bob\na -> b Hello\nb --> a <&\nnote b thinks\npart Later")
	// Two columns share 860 units after a margin of 20: lifelines at 235 and 665.
	want := []string{"M235 ", "L665 "}
	if arrows := of(all, "arrow"); len(arrows) != 1 || !strings.HasPrefix(arrows[0], want[0]) || !strings.Contains(arrows[0], want[1]) {
		t.Errorf("arrow %q, want one from %s to %s", arrows, want[0], want[1])
	}
	if back := of(all, "arrow answer"); len(back) != 1 || !strings.HasPrefix(back[0], "M665 ") || !strings.Contains(back[0], "L235 ") {
		t.Errorf("answer %q, want one from M665 to L235", back)
	}
	heads := of(all, "head")
	if len(heads) != 2 || !strings.HasPrefix(heads[0], "M665 ") || !strings.HasPrefix(heads[1], "M235 ") {
		t.Errorf("heads %q, want one at 665, then one at 235", heads)
	}
	if got := of(all, "label"); !slices.Equal(got, []string{"Hello", "<&"}) {
		t.Errorf("texts of arrows %q", got)
	}
	if got := of(all, "title"); !slices.Equal(got, []string{"A <b> & c"}) {
		t.Errorf("title %q", got)
	}
	if got := of(all, "soft"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("below the name %q", got)
	}
	if all[0].Text != "A <b> & c" || all[1].Text != "Two talk." {
		t.Errorf("title %q, description %q", all[0].Text, all[1].Text)
	}
}

func TestBoxes(t *testing.T) {
	all := draw(t, "boxes T\nalt A.\ngap 100 50\nbox a 0,0 A\nbox b 1,0 1x2 B\nbox c 0,1 C\na -> b x\na <-> c y\nb -> c z")
	var boxes []area
	for _, e := range all {
		if e.Class == "box" {
			boxes = append(boxes, area{int(e.X), int(e.Y), e.W, e.H})
		}
	}
	// Two columns and a gap of 100 share 860; a line of text and twice 10 are 37 high,
	// below the margin, and the title's 32.
	want := []area{{20, 52, 380, 37}, {500, 52, 380, 37 + 50 + 37}, {20, 52 + 37 + 50, 380, 37}}
	if !slices.Equal(boxes, want) {
		t.Errorf("boxes %v, want %v", boxes, want)
	}
	arrows := []string{"M400 70L500 70", "M210 89L210 139", "M500 157L400 157"}
	if got := of(all, "arrow"); !slices.Equal(got, arrows) {
		t.Errorf("arrows %q, want %q", got, arrows)
	}
	if heads := of(all, "head"); len(heads) != 4 || !strings.HasPrefix(heads[1], "M210 139L") || !strings.HasPrefix(heads[2], "M210 89L") {
		t.Errorf("heads %q, want four, the second and third of <->", heads)
	}
	if got := of(draw(t, "boxes T\nalt A.\nbox a 0,0 A\nbox b 1,1 B\na -> b"), "arrow"); len(got) != 1 || strings.Count(got[0], "L") != 2 {
		t.Errorf("%q is no arrow with a corner", got)
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("wide ", 60)
	for _, c := range []struct{ text, want string }{
		{"", "line 0: not a picture: it has no title, or no alt"},
		{"sequence T\n", "line 1: not a picture: it has no title, or no alt"},
		{"circle T\nalt A", `line 1: not a picture: "circle" is not sequence or boxes`},
		{"sequence T\nalt A\nactor a A", "line 1: not a picture: a sequence has two actors or more"},
		{"sequence T\nalt A\nactor A A", `line 3: not a picture: "A" is not a name of small letters and digits`},
		{"sequence T\nalt A\nactor a A\nactor a B", "line 4: not a picture: a is there already"},
		{"sequence T\nalt A\nactor a A\nactor b B\na -> c x", "line 5: not a picture: an arrow goes from one that is there to another one"},
		{"sequence T\nalt A\nactor a A\nactor b B\na -> a x", "line 5: not a picture: an arrow goes from one that is there to another one"},
		{"sequence T\nalt A\nactor a A\nactor b B\nsay a x", `line 5: not a picture: "say" is no statement`},
		{"sequence T\nalt A\nactor a A\nactor b B\npart P\nactor c C", "line 6: not a picture: at most 12 actors stand before all rows"},
		{"sequence T\nalt A\nactor a A\nactor b B\nnote a", "line 5: not a picture: a note has an actor and a text"},
		{"sequence T\nalt A\nactor a A\nactor b B\na -> b " + long, "is wider than its arrow"},
		{"sequence T\nalt A\nactor a A\nactor b B\nnote b " + long, "line 5: not a picture: the note has no room"},
		{"sequence T\nalt A\nactor a " + long + "\nactor b B", "has no room"},
		{"boxes T\nalt A", "line 1: not a picture: there is no box"},
		{"boxes T\nalt A\nbox a 0;0 A", "line 3: not a picture: it has a place"},
		{"boxes T\nalt A\nbox a 13,0 A", "line 3: not a picture: it has a place"},
		{"boxes T\nalt A\nbox a 0,0 0x1 A", "line 3: not a picture: it has a place"},
		{"boxes T\nalt A\ngroup 0,0", "line 3: not a picture: it has a place"},
		{"boxes T\nalt A\ngap 9 9\nbox a 0,0 A", "line 3: not a picture: a gap has two numbers"},
		{"boxes T\nalt A\nbox a 0,0 " + long, "has no room"},
		{"boxes T\nalt A\nbox a 0,0 A\nbox b 1,0 B\na -> b a text that is too wide", "is wider than its arrow"},
		{strings.Repeat("\n", 300), "line 201: not a picture: it has more than 200 lines"},
	} {
		_, err := Draw(c.text)
		if !errors.Is(err, ErrText) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzDraw(f *testing.F) {
	texts, err := filepath.Glob(filepath.Join(docs, "pictures", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range texts {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := Draw(text)
		if err != nil {
			if !errors.Is(err, ErrText) {
				t.Error(err)
			}
			return
		}
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			if _, err := d.Token(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
		}
	})
}
