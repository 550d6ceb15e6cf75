package cpu

import "github.com/feidi-dev/feidi/isa"

// ProvisioningKey returns the key that EGETKEY gives for the request r, of
// PROVISION_KEY, to the enclave that secs describes, on every processor with
// this root provisioning key. The factory computes it: it knows that key, and
// provisioning keys depend on nothing else of a processor (SDM Vol. 3D, "Key
// Derivation").
//
// None of EGETKEY's checks is made: the key may be one for which the enclave
// has not the attributes, or of an SVN that no processor has reached. The
// KEYNAME of r is not looked at.
func ProvisioningKey(root [16]byte, secs *isa.SECS, r *isa.KeyRequest) [isa.KeySize]byte {
	q := *r
	q.KeyName = isa.KeyProvision
	d := dependenciesOf(secs, &q)
	d.provisioning(secs, &q)
	k := keys{fuses: Fuses{RootProvisioningKey: root}}
	return k.derive(d)
}
