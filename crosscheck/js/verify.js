// Verifies a set with @phala/dcap-qvl: node verify.js [-n N] FOLDER
// The package comment of ../doc.go says what is in the folder and what this
// prints.
'use strict';

const fs = require('fs');
const path = require('path');
const crypto = require('crypto');
const { QuoteVerifier, Quote, utils } = require('@phala/dcap-qvl');

const args = process.argv.slice(2);
const times = args[0] === '-n' ? Number(args.splice(0, 2)[1]) : 1;
const read = (name) => fs.readFileSync(path.join(args[0], name));

// signed splits a document into the text that its signature covers and the
// signature.
function signed(name, key) {
  const text = read(name).toString('utf8').trim();
  const match = text.match(new RegExp(`^\\{\\s*"${key}"\\s*:\\s*([^]*?)\\s*,\\s*"signature"\\s*:\\s*"([0-9a-fA-F]+)"\\s*\\}$`));
  if (!match) throw new Error(`${name}: not of the form of Intel's service`);
  return match.slice(1);
}

// leafFirst puts the certificates of a chain into the order that the package
// wants them in.
function leafFirst(pem) {
  const certs = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  const parsed = certs.map((c) => new crypto.X509Certificate(c));
  const depth = (i) => {
    const up = parsed.findIndex((c) => c.subject === parsed[i].issuer);
    return up < 0 || up === i ? 0 : 1 + depth(up);
  };
  return certs.map((c, i) => [depth(i), c]).sort((a, b) => b[0] - a[0]).map((c) => c[1]).join('\n') + '\n';
}

const quote = read('quote.bin');
const root = utils.extractCerts(read('root.pem'))[0];
const at = Date.parse(read('verify_at.txt').toString().trim()) / 1000;
const [tcbInfo, tcbSignature] = signed('tcbinfo.json', 'tcbInfo');
const [qeIdentity, qeSignature] = signed('qeid.json', 'enclaveIdentity');
const collateral = {
  pck_crl_issuer_chain: read('pckcrl_chain.pem').toString(),
  root_ca_crl: read('rootcrl.der'),
  pck_crl: read('pckcrl.der'),
  tcb_info_issuer_chain: read('tcb_chain.pem').toString(),
  tcb_info: tcbInfo,
  tcb_info_signature: tcbSignature,
  qe_identity_issuer_chain: read('qeid_chain.pem').toString(),
  qe_identity: qeIdentity,
  qe_identity_signature: qeSignature,
};

// A quote without a chain (certification data of types 1 to 3) needs one. What
// the package cannot read it refuses below.
const pckCertChain = 5;
try {
  if (Quote.parse(quote).authData.intoV3().certificationData.certType !== pckCertChain) {
    collateral.pck_certificate_chain = leafFirst(read('pck_chain.pem').toString());
  }
} catch {}

const verifier = QuoteVerifier.newWithRootCa(root);
let outcome;
for (let i = 0; i < times; i++) {
  try {
    outcome = 'accepted ' + verifier.verify(quote, collateral, at).status;
  } catch (e) {
    const cause = e.cause ? `: ${e.cause.message}` : '';
    outcome = ('rejected ' + e.message + cause).replace(/\s+/g, ' ');
  }
}
console.log(outcome);
