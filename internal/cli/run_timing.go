package cli

import (
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/measure"
)

// processStarted is about when the process was started.
var processStarted = time.Now()

// showTiming says how long it took from the start of the command until the
// program ran, and what took how long: to read (and build) the file, to load the
// enclave, and to start Go inside. Measuring is a part of the loading, and is
// done once more to see how large a part.
func (a *app) showTiming(p *goProgram, loaded, first time.Time) {
	if first.IsZero() {
		fmt.Fprintln(a.err, "feidi: main was not reached")
		return
	}
	begin := time.Now()
	measure.Image(p.image)
	alone := time.Since(begin)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Fprintf(a.err, "feidi: %.1f ms to main: file %.1f, load %.1f (measuring alone takes %.1f), runtime %.1f\n",
		ms(first.Sub(processStarted)), ms(p.read.Sub(processStarted)), ms(loaded.Sub(p.read)), ms(alone), ms(first.Sub(loaded)))
}
