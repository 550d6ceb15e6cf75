package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"feidi":       func() { os.Exit(Main(Args(os.Args), os.Stdin, os.Stdout, os.Stderr)) },
		"sgx_sign":    func() { os.Exit(Main(Args(os.Args), os.Stdin, os.Stdout, os.Stderr)) },
		"sgx_edger8r": func() { os.Exit(Main(Args(os.Args), os.Stdin, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	shared := goEnv(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FEIDI_ENCLAVES", os.Getenv("FEIDI_ENCLAVES"))
			for name, value := range shared {
				e.Setenv(name, value)
			}
			// Where the commands are, in front of what was PATH.
			e.Setenv("FEIDI_BIN", strings.Split(e.Getenv("PATH"), string(os.PathListSeparator))[0])
			return writeSamples(e.WorkDir)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "engine" {
				return len(engines()) > 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"daemon":   daemon,
			"jsonkeys": jsonKeys,
			"json":     jsonValue,
			"samejson": sameJSON,
			"cmpjson":  cmpJSON,
			"badkey":   badKey,
			"convert":  convertKey,
			"rsasign":  rsaSign,
		},
	})
}

// goEnv is the environment that scripts share: the caches of the go command, so
// that the standard library is not compiled for each, and one place for keys and
// machines.
func goEnv(t *testing.T) map[string]string {
	env := map[string]string{"XDG_STATE_HOME": t.TempDir(), "XDG_CACHE_HOME": t.TempDir()}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env["FEIDI_ROOT"] = root
	names := []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"}
	out, err := exec.Command("go", append([]string{"env", "-json"}, names...)...).Output()
	if err != nil {
		return env // scripts that need it skip
	}
	if err := json.Unmarshal(out, &env); err != nil {
		t.Fatal(err)
	}
	return env
}

// exits CODE ARGS... runs feidi and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	err := ts.Exec("feidi", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("feidi %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func readJSON(ts *testscript.TestScript, file string) map[string]any {
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	if d.More() {
		ts.Fatalf("more than one JSON value on standard output")
	}
	return v
}

// jsonkeys KEY... compares the set of keys of the object on standard output.
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	var got []string
	for k := range readJSON(ts, "stdout") {
		got = append(got, k)
	}
	sort.Strings(got)
	want := slices.Sorted(slices.Values(args))
	if slices.Equal(got, want) == neg {
		ts.Fatalf("keys are %v, want %v", got, want)
	}
}

// json PATH VALUE compares one value; PATH is keys separated by dots.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	var v any = readJSON(ts, "stdout")
	for _, k := range strings.Split(args[0], ".") {
		m, ok := v.(map[string]any)
		if !ok {
			ts.Fatalf("%s: %q is not in an object", args[0], k)
		}
		if v, ok = m[k]; !ok {
			ts.Fatalf("%s: no key %q", args[0], k)
		}
	}
	if got := fmt.Sprint(v); (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

// samejson KEY FILE compares a value of the object on standard output with
// that of a file.
func sameJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samejson KEY FILE")
	}
	got, want := readJSON(ts, "stdout")[args[0]], readJSON(ts, args[1])[args[0]]
	if got == nil || (got == want) == neg {
		ts.Fatalf("%s is %v, in %s it is %v", args[0], got, args[1], want)
	}
}

// cmpjson KEY FILE compares a value of the object on standard output with the
// JSON in a file, but for how long calls took.
func cmpJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: cmpjson KEY FILE")
	}
	var want any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1])))
	d.UseNumber()
	ts.Check(d.Decode(&want))
	got := readJSON(ts, "stdout")[args[0]]
	if list, ok := got.([]any); ok {
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				delete(m, "call_ms")
			}
		}
	}
	if reflect.DeepEqual(got, want) == neg {
		ts.Fatalf("%s is\n%v, want\n%v", args[0], got, want)
	}
}
