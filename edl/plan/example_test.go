package plan_test

import (
	"fmt"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

func ExampleNew() {
	files := fstest.MapFS{"demo.edl": {Data: []byte(`enclave {
	trusted {
		public int greet([in, string] const char* name, [out, size=n] char* text, uint16_t n);
	};
};`)}}
	i, _, err := edl.Load("demo.edl", edl.Options{Open: files.ReadFile})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := plan.New(i, plan.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := p.ECalls[0]
	fmt.Printf("%s: %d bytes\n", c.Name, c.Size)
	fmt.Printf("result at %d\n", c.Result.Offset)
	for _, q := range c.Params {
		fmt.Printf("%s at %d", q.Name, q.Offset)
		if q.HasLen {
			fmt.Printf(", its length at %d", q.LenOffset)
		}
		fmt.Println()
	}
	// Output:
	// greet: 40 bytes
	// result at 0
	// name at 8, its length at 16
	// text at 24
	// n at 32
}
