package edl_test

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/edl"
)

func ExampleLoad() {
	source := "enclave {\n    trusted {\n        public int add(int a, [in] int *b, [out, size=room] char *text);\n    };\n};\n"
	_, _, err := edl.Load("demo.edl", edl.Options{
		Open: func(string) ([]byte, error) { return []byte(source), nil },
	})
	var ds edl.Diagnostics
	if errors.As(err, &ds) {
		fmt.Print(ds.Text())
	}
	// Output:
	// demo.edl:3:55: error: there is no parameter `room` [operand]
	//     3 |         public int add(int a, [in] int *b, [out, size=room] char *text);
	//       |                                                       ^~~~
	//       = name a parameter or write a number
}

func ExampleFormatSource() {
	out, err := edl.FormatSource("demo.edl", []byte("enclave{trusted{public int add(int a,[in]int*b);};};"))
	fmt.Print(string(out), err)
	// Output:
	// enclave {
	//     trusted {
	//         public int add(int a, [in] int *b);
	//     };
	// };
	// <nil>
}
