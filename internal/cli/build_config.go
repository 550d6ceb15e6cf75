package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/gobuild/config"
)

// configure takes options from the file that --config names. The flags of cmd
// that were given win over it. The file of a key is looked for in the folder of
// the file that names it.
func (b *building) configure(cmd *cobra.Command) error {
	for _, flag := range []string{"config", "heap", "threads", "prod-id", "svn", "godebug", "key", "tags"} {
		if cmd.Flags().Changed(flag) {
			b.given = flag
		}
	}
	if b.config == "" {
		return nil
	}
	file, err := readFile(b.config, config.MaxFile, nil)
	if err != nil {
		return cannot(err)
	}
	c, err := config.Parse(file)
	if err != nil {
		return cannot(fmt.Errorf("%s:%w", b.config, err))
	}
	option(cmd, "heap", &b.heap.Size, c.Heap)
	option(cmd, "threads", &b.threads, c.Threads)
	option(cmd, "prod-id", &b.prodID, c.ProdID)
	option(cmd, "svn", &b.svn, c.SVN)
	option(cmd, "debug", &b.debug, c.Debug)
	option(cmd, "godebug", &b.debugEnv, c.GoDebug)
	if c.Tags != nil {
		option(cmd, "tags", &b.tags, &c.Tags)
	}
	if c.Key != nil {
		if !filepath.IsAbs(*c.Key) {
			*c.Key = filepath.Join(filepath.Dir(b.config), *c.Key)
		}
		option(cmd, "key", &b.key, c.Key)
	}
	return nil
}

// option sets the option of a flag that was not given to what a file says.
func option[T any](cmd *cobra.Command, flag string, to, from *T) {
	if from != nil && !cmd.Flags().Changed(flag) {
		*to = *from
	}
}
