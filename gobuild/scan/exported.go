package scan

import "github.com/feidi-dev/feidi/internal/elf64"

// Function is a function of a program, with the addresses that the linker gave
// it. End is where it ends, or where the padding after it does.
type Function struct {
	Name       string
	Start, End uint64
}

// Functions returns the functions of a linked program by address: those that
// Program scans. The error is of a file that is not such a program, or is
// broken.
func Functions(file []byte) ([]Function, error) {
	f, err := elf64.Parse(file)
	if err != nil {
		return nil, err
	}
	list, err := functions(f)
	if err != nil {
		return nil, err
	}
	all := make([]Function, len(list))
	for i, fn := range list {
		all[i] = Function{fn.name, fn.start, fn.end}
	}
	return all, nil
}
