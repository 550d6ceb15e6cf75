// Package wire is how verifications are asked for and answered outside Go: the
// JSON that `feidi verify --json` writes, that the service of package verifyd
// takes and gives, and that the example page in a browser shows. It also reads
// quotes in the forms in which people hand them on.
//
// It is pure: it verifies nothing, judges nothing and asks nobody. Package
// dcap/verify verifies, dcap/policy judges, and what both said is written down
// here.
package wire
