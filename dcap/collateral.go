package dcap

// Collateral is what a verifier needs besides a quote, as it is served: the
// signatures in it cover exactly these bytes. Nothing in it is secret or
// trusted.
type Collateral struct {
	// PCKChain is the PCK certificate chain, PEM, for quotes that carry
	// none (certification data of types 1 to 3); else it is not looked at.
	PCKChain []byte

	RootCRL     []byte // DER
	PCKCRL      []byte // DER, of the CA that issued the PCK certificate
	PCKCRLChain []byte // PEM: that CA and the root. May be empty: the chain of the PCK certificate has them, too

	TCBInfo      []byte // JSON as served
	TCBInfoChain []byte // PEM: TCB signing certificate and root

	QEIdentity      []byte // JSON as served
	QEIdentityChain []byte // PEM
}
