package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Files that an administrator makes of others, without asking anybody.

// Made-up files of the right form, for examples.
const (
	samplePlatforms   = "pccs/exchange/testdata/sample"
	sampleCollaterals = samplePlatforms + "/platform_collaterals.json"
	sampleRoot        = samplePlatforms + "/root.pem"
)

func (a *app) pccsCollect() *cobra.Command {
	var dir, out string
	var force bool
	cmd := a.verb(&cobra.Command{
		Use:   "collect",
		Short: "Make a list of platforms of the files of PCKIDRetrievalTool",
		Long: `Collect puts together what PCKIDRetrievalTool wrote on each platform: all files of a
folder that end in .csv. The list is for ` + "`feidi pccs fetch`" + ` or ` + "`pccsadmin fetch`" + `.`,
		Example: `  feidi pccs collect -d ` + samplePlatforms + ` -o /tmp/platform_list.json`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			if err := free(out, force); err != nil {
				return err
			}
			list, err := collectCSV(dir)
			if err != nil {
				return cannot(err)
			}
			if err := writeFile(out, 0o666, func(w io.Writer) error { return writeList(w, list) }); err != nil {
				return err
			}
			return (&shownList{File: out, Platforms: len(list)}).show(a)
		},
	})
	f := cmd.Flags()
	f.StringVarP(&dir, "directory", "d", ".", "the `folder` of the files")
	f.StringVarP(&out, "out", "o", platformList, "write to this `file`")
	f.BoolVar(&force, "force", false, "replace a file that is there")
	filesOf(cmd, "out", "json")
	return cmd
}

// collectCSV reads the CSV files of a folder, in the order of their names.
func collectCSV(dir string) (list []store.Registration, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type entry struct{ id, svns string }
	seen := map[entry]bool{}
	for _, f := range files {
		if f.IsDir() || !strings.EqualFold(filepath.Ext(f.Name()), ".csv") {
			continue
		}
		path := filepath.Join(dir, f.Name())
		b, err := readFile(path, exchange.MaxCSV, nil)
		if err != nil {
			return nil, err
		}
		found, err := exchange.ParseCSV(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range found {
			if e := (entry{r.QEID + "/" + r.PCEID, r.CPUSVN + "/" + r.PCESVN}); !seen[e] {
				seen[e] = true
				list = append(list, r)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no file that ends in .csv: PCKIDRetrievalTool writes pckid_retrieval.csv", dir)
	}
	return list, nil
}

// pccsCaching are the flags of pccs cache.
type pccsCaching struct {
	in, out, update string
	hours           int
	subfolders      bool
}

func (a *app) pccsCache() *cobra.Command {
	f := &pccsCaching{}
	cmd := a.verb(&cobra.Command{
		Use:   "cache",
		Short: "Make the files by which platforms quote without a PCCS",
		Long: `Cache makes of the collateral of ` + "`feidi pccs fetch`" + ` a file for each platform, in
which Intel's client (QCNL) finds its PCK certificates when its configuration says
"local_cache_only": true. Bring each to the folder .dcap-qcnl of its platform,
which is below $AZDCAP_CACHE, $XDG_CACHE_HOME or the home of who quotes.

A platform whose CPUSVN is not known has a file of the same name as others
such: --sub_dir gives each platform a folder of its own.`,
		Example: `  feidi pccs cache -i ` + sampleCollaterals + ` -o /tmp/cache`,
		Args:    noOperands,
		RunE:    func(*cobra.Command, []string) error { return a.runPCCSCache(f) },
	})
	flags := cmd.Flags()
	flags.StringVarP(&f.in, "in", "i", platformCollaterals, "the collateral in this `file`")
	flags.StringVarP(&f.out, "out", "o", "cache", "write into this `folder`")
	flags.IntVarP(&f.hours, "expire", "e", 2160, "the files are good for so many `hours`, 8760 at most")
	flags.StringVarP(&f.update, "tcb-update-type", "t", "standard", "choose certificates by the TCB info of this `type`: standard or early")
	flags.BoolVarP(&f.subfolders, "sub_dir", "s", false, "a folder for each platform, with its QE ID for a name")
	filesOf(cmd, "in", "json")
	oneOf(cmd, "tcb-update-type", "standard", "early")
	return cmd
}

func (a *app) runPCCSCache(f *pccsCaching) error {
	if f.hours < 0 || f.hours > 8760 {
		return usage("--expire %d: it is 0 to 8760", f.hours)
	}
	if f.update != collateral.Standard && f.update != collateral.Early {
		return usage("--tcb-update-type %.40s: it is standard or early", f.update)
	}
	c, err := readCollaterals(f.in)
	if err != nil {
		return err
	}
	if len(c.Platforms) == 0 {
		return cannot(errors.New(f.in + ": there are no platforms in it"))
	}
	expiry := time.Now().Add(time.Duration(f.hours) * time.Hour)
	var files []string
	seen := map[string]bool{}
	for i := range c.Platforms {
		p := &c.Platforms[i]
		l, err := exchange.NewLocalCache(p, sgxTCBInfo(c, p.FMSPC, f.update), expiry)
		if err != nil {
			return cannot(err)
		}
		b, err := l.Append(nil)
		if err != nil {
			return cannot(err)
		}
		dir := f.out
		if f.subfolders {
			if dir = filepath.Join(dir, p.QEID); strings.Trim(p.QEID, "0123456789ABCDEF") != "" {
				return cannot(fmt.Errorf("platform %s: its ID is no QE ID, and no name for a folder", p.QEID))
			}
		}
		path := filepath.Join(dir, l.Name())
		if seen[path] {
			return cannot(fmt.Errorf("two platforms without a CPUSVN have the same file %s: use --sub_dir", path))
		}
		seen[path] = true
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return cannot(err)
		}
		if err := writeBytes(path, b); err != nil {
			return err
		}
		files = append(files, path)
	}
	if a.json {
		return a.writeJSON(map[string]any{"files": files, "expire": expiry.UTC().Truncate(time.Second)})
	}
	for _, file := range files {
		a.printf("%s\n", file)
	}
	return nil
}

// sgxTCBInfo is the TCB info of SGX of an FMSPC, of either version.
func sgxTCBInfo(c *pccs.Collateral, fmspc, update string) []byte {
	for i := range c.Documents {
		item := c.Documents[i].Item
		if item.Kind == collateral.TCBInfo && item.TEE == dcap.TEESGX && item.FMSPC == fmspc && item.Update == update {
			return c.Documents[i].Body
		}
	}
	return nil
}
