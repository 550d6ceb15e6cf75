//go:build !(feidi_release && linux && amd64)

package images

// embedded finds nothing: this is no release, or one for machines that system
// enclaves do not run on.
func embedded(string) ([]byte, error) { return nil, nil }
