package cli

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

func (a *app) pccs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pccs",
		Short: "A caching service for PCK certificates and collateral",
		Long: `A provisioning certificate caching service (PCCS) keeps PCK certificates of
platforms, and the collateral that verifiers take, near those who need them. This
one stands in for Intel's: clients, registration tools and configuration files of
that work with it as they are.

It keeps what it has in a file, or for several instances in PostgreSQL, MySQL or
MariaDB, and verifies all that it gets before it keeps it.`,
		Example: `  feidi pccs serve --check
  feidi pccs token -o /tmp/admin.token`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(a.pccsServe(), a.pccsToken(), a.pccsImport(), a.pccsGet(), a.pccsFetch(), a.pccsPut(), a.pccsCollect(), a.pccsCache(), a.pccsRefresh(), a.pccsStatus(), a.pccsExport())
	return cmd
}

// Bounds on a token, which is a line in the header of a request.
const (
	minToken = 8
	maxToken = 256
)

// shownToken is the JSON object of pccs token.
type shownToken struct {
	Token  string `json:"token,omitempty"`
	File   string `json:"file,omitempty"`
	SHA512 string `json:"sha512"`
}

func (a *app) pccsToken() *cobra.Command {
	var from, out string
	cmd := a.verb(&cobra.Command{
		Use:   "token [-o FILE]",
		Short: "Make a token for users or administrators",
		Long: `Token draws a token, and says its SHA-512, by which the service knows it:

  [tokens]                        or in Intel's file
  user_sha512  = "..."            "UserTokenHash": "..."
  admin_sha512 = "..."            "AdminTokenHash": "..."

The users' token registers platforms, the administrators' does all else; who only
asks takes none. With -o the token is written to a file that only its owner can
read, for --token-file of other verbs, and is not shown.`,
		Example: `  feidi pccs token
  feidi pccs token -o /tmp/admin.token
  echo 'correct horse battery staple' | feidi pccs token --from -`,
		Args: noOperands,
		RunE: func(*cobra.Command, []string) error {
			s := shownToken{Token: rand.Text()}
			if from != "" {
				token, err := a.readToken(from)
				if err != nil {
					return err
				}
				s.Token = token
			}
			sum := sha512.Sum512([]byte(s.Token))
			s.SHA512 = hex.EncodeToString(sum[:])
			if out != "" {
				err := atomicfile.Create(out, []byte(s.Token+"\n"), 0o600)
				if errors.Is(err, fs.ErrExist) {
					return no(errors.New(out + " is there already: remove it, or write another"))
				}
				if err != nil {
					return cannot(err)
				}
				s.Token, s.File = "", out
			}
			if from != "" {
				s.Token = ""
			}
			return s.show(a)
		},
	})
	cmd.Flags().StringVar(&from, "from", "", "take the token in this `file`, - for standard input, in place of a new one")
	cmd.Flags().StringVarP(&out, "out", "o", "", "write the token to this `file`")
	exclude(cmd, "from", "out")
	return cmd
}

func (s *shownToken) show(a *app) error {
	if a.json {
		return a.writeJSON(s)
	}
	switch {
	case s.File != "":
		a.printf("token   in %s\n", s.File)
	case s.Token != "":
		a.printf("token   %s\n", s.Token)
	}
	a.printf("sha512  %s\n", s.SHA512)
	return nil
}

// readToken reads the one line of a file, or of standard input.
func (a *app) readToken(file string) (string, error) {
	var b []byte
	var err error
	if file == "-" {
		b, err = io.ReadAll(io.LimitReader(a.in, 4096))
	} else {
		b, err = readFile(file, 4096, nil)
	}
	if err != nil {
		return "", cannot(err)
	}
	token := strings.TrimRight(string(b), "\r\n")
	switch {
	case len(token) < minToken || len(token) > maxToken:
		return "", usage("%s: a token has %d to %d characters", inputName(file), minToken, maxToken)
	case strings.TrimSpace(token) != token || strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", usage("%s: a token has only letters, digits and signs of ASCII, in one line", inputName(file))
	}
	return token, nil
}
