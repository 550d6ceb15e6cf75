// Package world holds the attestation world to its word with its real daemons:
// `feidi pcs serve` and `feidi aesmd` run as processes of their own, and the
// tests are everybody else: applications on the machines, relying parties,
// thieves of files, and whoever pulls the plug.
//
// Each test has a state directory and a world of its own. What is built, the
// command and the system enclaves, they share.
package world
