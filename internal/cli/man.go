package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) man() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long: `Man writes a manual page for every verb and topic into DIR, which it creates.
The pages carry the date of SOURCE_DATE_EPOCH, or today's.`,
		Example: `  feidi man /tmp/feidi-man
  man /tmp/feidi-man/feidi.1`,
		Args: operands("the folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return cannot(err)
			}
			date, err := sourceDate()
			if err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			preformat(root)
			header := &doc.GenManHeader{Section: "1", Source: "feidi " + version(), Manual: "Feidi", Date: &date}
			if err := doc.GenManTree(root, header, dir); err != nil {
				return cannot(err)
			}
			for _, topic := range root.Commands() {
				if topic.IsAdditionalHelpTopicCommand() {
					if err := writePage(topic, *header, dir); err != nil {
						return cannot(err)
					}
				}
			}
			pages, err := filepath.Glob(filepath.Join(dir, "feidi*.1"))
			if err != nil {
				return cannot(err)
			}
			if a.json {
				return a.writeJSON(map[string]any{"pages": pages})
			}
			a.printf("%d manual pages in %s\n", len(pages), dir)
			return nil
		},
	})
}

// preformat marks the indented lines of all descriptions as code, which a page
// does not fill.
func preformat(cmd *cobra.Command) {
	lines := strings.Split(cmd.Long, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") {
			lines[i] = "    " + line
		}
	}
	cmd.Long = strings.Join(lines, "\n")
	for _, c := range cmd.Commands() {
		preformat(c)
	}
}

// writePage writes the page of a help topic, which GenManTree leaves out.
func writePage(cmd *cobra.Command, header doc.GenManHeader, dir string) error {
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	header.Title = strings.ToUpper(name)
	f, err := os.Create(filepath.Join(dir, name+".1"))
	if err != nil {
		return err
	}
	return errors.Join(doc.GenMan(cmd, &header, f), f.Close())
}
