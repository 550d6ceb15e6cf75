package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) edl() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edl",
		Short: "Check, format and compile EDL files",
		Long: `An EDL file says what an enclave and its host may call of each other. Feidi reads
the language of the Intel SGX SDK's sgx_edger8r, with #define, #ifdef and
#include, and that of Open Enclave (--dialect oe).`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi edl check /tmp/feidi-demo/toy.edl
  feidi edl plan /tmp/feidi-demo/toy.edl
  feidi edl fmt /tmp/feidi-demo/toy.edl
  feidi edl gen /tmp/feidi-demo/toy.edl --lang c --untrusted --untrusted-dir /tmp/feidi-demo/app
  feidi edl gen /tmp/feidi-demo/toy.edl --lang go --untrusted --untrusted-dir /tmp/feidi-demo/toy`,
		// Without Args, a verb that is not there is an error before -h is.
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("there is no verb edl %s", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.edlCheck(), a.edlFmt(), a.edlPlan(), a.edlGen())
	return cmd
}
