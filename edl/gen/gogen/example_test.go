package gogen_test

import (
	"fmt"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen/gogen"
	"github.com/feidi-dev/feidi/edl/plan"
)

func ExampleTypes() {
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
	f, err := gogen.Types(p, gogen.Options{})
	fmt.Printf("%s:\n%s%v", f.Name, f.Content, err)
	// Output:
	// demo_types.go:
	// // Code generated from demo.edl by feidi. DO NOT EDIT.
	//
	// // Package demo is the border of an enclave, as demo.edl describes it.
	// package demo
	//
	// import (
	// 	"context"
	// )
	//
	// // DemoECalls are the functions of the enclave: what it implements,
	// // and what its client calls.
	// type DemoECalls interface {
	// 	// Greet is ECALL 0:
	// 	//
	// 	//	public int greet([in, string] const char* name, [out, size=n] char* text, uint16_t n);
	// 	Greet(ctx context.Context, name string, n uint16) (ret int32, text []byte, err error)
	// }
	// <nil>
}
