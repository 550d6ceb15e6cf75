package dcap

// MaxCollateralSize is the largest collateral in JSON that is read, in bytes:
// two CRLs in hexadecimal, and the rest.
const MaxCollateralSize = 40 << 20

// ParseCollateral reads collateral in the JSON that dcap-qvl and its bindings
// use: one object of strings,
//
//	pck_crl_issuer_chain      PEM
//	root_ca_crl, pck_crl      DER in hexadecimal
//	tcb_info_issuer_chain     PEM
//	tcb_info                  the body of the TCB info, as it is signed
//	tcb_info_signature        64 bytes in hexadecimal
//	qe_identity_issuer_chain  PEM
//	qe_identity               the body of the identity, as it is signed
//	qe_identity_signature     64 bytes in hexadecimal
//	pck_certificate_chain     PEM; may be missing or null
//
// The signed documents are put together again from body and signature. The
// parts are not looked into but for that: each has its own parser. Errors are
// a *ParseError.
func ParseCollateral(doc []byte) (*Collateral, error) {
	if len(doc) > MaxCollateralSize {
		return nil, &ParseError{Document: "collateral", Kind: errFormatSize, Reason: "more than " + decimal(MaxCollateralSize) + " bytes"}
	}
	p := collateralParser{}
	p.Init(doc)
	c := p.collateral()
	p.End()
	if err := p.parseError("collateral"); err != nil {
		return nil, err
	}
	return c, nil
}

// UnmarshalJSON is ParseCollateral.
func (c *Collateral) UnmarshalJSON(doc []byte) error {
	parsed, err := ParseCollateral(doc)
	if err != nil {
		return err
	}
	*c = *parsed
	return nil
}

type collateralParser struct{ jsonReader }

func (p *collateralParser) collateral() *Collateral {
	var c Collateral
	var tcbInfo, identity []byte
	var tcbInfoSignature, identitySignature [64]byte
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "pck_crl_issuer_chain":
			have |= 1 << 0
			c.PCKCRLChain = p.bytes(MaxChainSize)
		case "root_ca_crl":
			have |= 1 << 1
			c.RootCRL = p.crl()
		case "pck_crl":
			have |= 1 << 2
			c.PCKCRL = p.crl()
		case "tcb_info_issuer_chain":
			have |= 1 << 3
			c.TCBInfoChain = p.bytes(MaxChainSize)
		case "tcb_info":
			have |= 1 << 4
			tcbInfo = p.signedBody()
		case "tcb_info_signature":
			have |= 1 << 5
			p.signature(&tcbInfoSignature)
		case "qe_identity_issuer_chain":
			have |= 1 << 6
			c.QEIdentityChain = p.bytes(MaxChainSize)
		case "qe_identity":
			have |= 1 << 7
			identity = p.signedBody()
		case "qe_identity_signature":
			have |= 1 << 8
			p.signature(&identitySignature)
		case "pck_certificate_chain":
			if !p.Null() {
				c.PCKChain = p.bytes(MaxChainSize)
			}
		default:
			p.Skip()
		}
	}
	p.need(have, ErrFormat, "pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info",
		"tcb_info_signature", "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature")
	c.TCBInfo = AppendSignedTCBInfo(nil, tcbInfo, tcbInfoSignature)
	c.QEIdentity = AppendSignedIdentity(nil, identity, identitySignature)
	return &c
}

// bytes reads a string of up to limit bytes; nil if it is empty.
func (p *collateralParser) bytes(limit int) []byte {
	at := p.Start()
	s := p.text(ErrFormat)
	if len(s) > limit {
		p.Fail(errFormatSize, at, "more than "+decimal(limit)+" bytes")
	}
	if s == "" || p.Err() != nil {
		return nil
	}
	return []byte(s)
}

// crl reads a CRL in hexadecimal.
func (p *collateralParser) crl() []byte {
	at := p.Start()
	s := p.text(ErrFormat)
	if len(s) > 2*MaxCRLSize {
		p.Fail(errFormatSize, at, "more than "+decimal(MaxCRLSize)+" bytes")
		return nil
	}
	der := make([]byte, len(s)/2)
	if mixedCase(s) || !decodeHex(der, s) {
		p.Fail(ErrFormat, at, "want hexadecimal digits, all upper or all lower case")
	}
	return der
}

// signedBody reads a string that is an object in JSON. If it were not one, the
// document that is made of it could be another than the one that was signed.
func (p *collateralParser) signedBody() []byte {
	at := p.Start()
	body := p.bytes(MaxJSONSize)
	if p.Err() != nil {
		return nil
	}
	var r jsonReader
	r.Init(body)
	r.skipObject()
	r.End()
	if err := r.Err(); err != nil {
		p.Fail(ErrFormat, at, "in the string: "+err.Error())
	}
	return body
}

// AppendJSON appends the collateral in the form that ParseCollateral reads,
// without white space. What the signed documents have besides body and
// signature is lost, which no signature covers. An error, a *ParseError, says
// that one of them is no such document.
func (c *Collateral) AppendJSON(b []byte) ([]byte, error) {
	t, err := splitSigned(c.TCBInfo, "TCB info", "tcbInfo")
	if err != nil {
		return nil, err
	}
	e, err := splitSigned(c.QEIdentity, "enclave identity", "enclaveIdentity")
	if err != nil {
		return nil, err
	}
	b = appendString(b, `{"pck_crl_issuer_chain":`, string(c.PCKCRLChain))
	b = appendLowerHex(b, `,"root_ca_crl":`, c.RootCRL)
	b = appendLowerHex(b, `,"pck_crl":`, c.PCKCRL)
	b = appendString(b, `,"tcb_info_issuer_chain":`, string(c.TCBInfoChain))
	b = appendString(b, `,"tcb_info":`, string(t.Body))
	b = appendLowerHex(b, `,"tcb_info_signature":`, t.Signature[:])
	b = appendString(b, `,"qe_identity_issuer_chain":`, string(c.QEIdentityChain))
	b = appendString(b, `,"qe_identity":`, string(e.Body))
	b = appendLowerHex(b, `,"qe_identity_signature":`, e.Signature[:])
	if len(c.PCKChain) > 0 {
		b = appendString(b, `,"pck_certificate_chain":`, string(c.PCKChain))
	}
	return append(b, '}'), nil
}

// MarshalJSON is AppendJSON.
func (c *Collateral) MarshalJSON() ([]byte, error) { return c.AppendJSON(nil) }

// appendLowerHex appends bytes in the lower case hexadecimal of this form.
func appendLowerHex(b []byte, key string, v []byte) []byte {
	b = append(append(b, key...), '"')
	return append(appendHex(b, v, lowerHex), '"')
}

// splitSigned takes a signed document apart without a look into the body.
func splitSigned(doc []byte, document, name string) (Signed, error) {
	var r jsonReader
	var s Signed
	for r.begin(doc, &s); r.nextBody(name, &s); {
		r.skipObject()
	}
	r.endSigned(name, ErrFormat, &s)
	return s, r.parseError(document)
}
