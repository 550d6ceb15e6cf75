package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:     "version",
		Short:   "Show the version of feidi",
		Example: "  feidi version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if a.json {
				return a.writeJSON(map[string]string{"version": version(), "go": runtime.Version(), "platform": platform})
			}
			a.printf("feidi %s, built with %s for %s\n", version(), runtime.Version(), platform)
			return nil
		},
	})
}

// version is the module's version as the Go toolchain recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
