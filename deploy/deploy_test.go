// Package deploy has nothing but tests of the files beside it: units of systemd,
// settings, packages, and manifests for Kubernetes. See README.md. The packages
// themselves are tested in module tools, which has what makes them.
package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
)

// tool returns a program that is not everywhere, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here", name)
	}
	return path
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The units are right, and what systemd calls the exposure is low: 0 is none,
// 10 all, and above 5 it frowns.
func TestUnits(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	dir := t.TempDir()
	self, err := os.Executable() // in the place of the command, which is not installed here
	if err != nil {
		t.Fatal(err)
	}
	service := write(t, dir, "feidi-pccs.service", strings.ReplaceAll(read(t, "feidi-pccs.service"), "/usr/bin/feidi", self))
	socket := write(t, dir, "feidi-pccs.socket", read(t, "feidi-pccs.socket"))
	if out, err := exec.Command(analyze, "verify", "--man=no", service, socket).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=yes", "--no-pager", service).CombinedOutput()
	if err != nil {
		t.Skipf("systemd-analyze security --offline: %v\n%s", err, out)
	}
	level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if level == nil || len(level[1]) != 3 || level[1][0] > '1' {
		t.Errorf("the exposure is %q, want below 2.0:\n%s", level, out)
	}
}

func TestSysusers(t *testing.T) {
	sysusers := tool(t, "systemd-sysusers")
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf, err := filepath.Abs("feidi-pccs.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(sysusers, "--root="+root, conf).CombinedOutput(); err != nil {
		t.Skipf("systemd-sysusers: %v\n%s", err, out) // it wants to be root
	}
	if passwd := read(t, filepath.Join(root, "etc", "passwd")); !strings.HasPrefix(passwd, "feidi-pccs:") || !strings.Contains(passwd, "nologin") {
		t.Errorf("the user is %q", passwd)
	}
	if unit := read(t, "feidi-pccs.service"); !strings.Contains(unit, "\nUser=feidi-pccs\n") {
		t.Error("the service runs as another user")
	}
}

// The packaged settings are right as they are, and so are the examples in them
// when their # is taken away.
func TestSettings(t *testing.T) {
	c, err := config.Load("pccs.toml", "")
	if err != nil || c.Mode != pccs.Lazy || !slices.Equal(c.Listen, []string{"127.0.0.1:8081"}) || c.Database != "sqlite:/var/lib/feidi/pccs/pccs.db" {
		t.Fatalf("%v, %+v", err, c)
	}
	dir := t.TempDir()
	for _, secret := range []string{"api_key", "database_password"} {
		write(t, dir, secret, "secret of "+secret)
	}
	all := regexp.MustCompile(`(?m)^# ([a-z_0-9]+ +=)`).ReplaceAllString(read(t, "pccs.toml"), "$1")
	if strings.Count(all, "\n# ") >= strings.Count(read(t, "pccs.toml"), "\n# ") {
		t.Fatal("it has no examples")
	}
	all = strings.ReplaceAll(all, `"sqlite:/var/lib/feidi/pccs/pccs.db"`, `"postgres://feidi@db.example/feidi"`)
	all = strings.ReplaceAll(all, `_sha512 = ""`, `_sha512 = "`+strings.Repeat("0f", 64)+`"`)
	c, err = config.Load(write(t, dir, "pccs.toml", all), "")
	if err != nil {
		t.Fatalf("with its examples: %v\n%s", err, all)
	}
	if string(c.APIKey) != "secret of api_key" || string(c.DatabasePassword) != "secret of database_password" || !strings.HasPrefix(c.Database, "postgres://") || c.TLSCert == "" || c.Proxy == "" || c.AdminSHA512 == "" || c.UserSHA512 == "" {
		t.Errorf("with its examples: %+v", c)
	}
}

// In a cluster the secrets come from files that have the names in the example of
// a secret, and those that the deployment gives the certificate.
func TestKubernetesSettings(t *testing.T) {
	deployment := read(t, "kubernetes/deployment.yaml")
	dir := t.TempDir()
	hash := strings.Repeat("ab", 64)
	for name, value := range map[string]string{"database_password": "pw", "api_key": "key", "admin_sha512": hash, "user_sha512": hash} {
		if !strings.Contains(read(t, "kubernetes/secret.example.yaml"), "\n  "+name+": ") {
			t.Errorf("the example has no %s", name)
		}
		write(t, dir, name, value)
	}
	for _, name := range []string{"tls_cert", "tls_key"} {
		if !strings.Contains(deployment, "path: "+name+"}") {
			t.Errorf("the deployment has no %s", name)
		}
		write(t, dir, name, "PEM")
	}
	c, err := config.Load("kubernetes/pccs.toml", dir)
	if err != nil {
		t.Fatal(err)
	}
	if string(c.DatabasePassword) != "pw" || string(c.APIKey) != "key" || c.AdminSHA512 != hash || c.UserSHA512 != hash || c.TLSCert != filepath.Join(dir, "tls_cert") || c.TLSKey != filepath.Join(dir, "tls_key") || !slices.Equal(c.Listen, []string{":8081"}) {
		t.Errorf("%+v", c)
	}
}

func TestKustomize(t *testing.T) {
	kubectl := tool(t, "kubectl")
	out, err := exec.Command(kubectl, "kustomize", "kubernetes").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, kind := range []string{"Namespace", "ConfigMap", "Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"} {
		if strings.Count(string(out), "\nkind: "+kind+"\n") != 1 {
			t.Errorf("not one %s", kind)
		}
	}
	if strings.Contains(string(out), "kind: Secret") {
		t.Error("the example of a secret would be applied")
	}
}

func TestScripts(t *testing.T) {
	for shell, scripts := range map[string][]string{"sh": {"postinstall.sh", "preremove.sh", "postremove.sh"}, "bash": {"build.sh"}} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("no %s here", shell)
			continue
		}
		for _, s := range scripts {
			if out, err := exec.Command(path, "-n", s).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", s, err, out)
			}
		}
	}
}

func TestSpec(t *testing.T) {
	rpmspec := tool(t, "rpmspec")
	out, err := exec.Command(rpmspec, "-q", "--qf", "%{name}-%{version}.%{arch}", "--define", "version_ 1.2.3", "feidi.spec").CombinedOutput()
	if err != nil || string(out) != "feidi-1.2.3.x86_64" {
		t.Errorf("%v: %s", err, out)
	}
}
