package epid_test

import (
	"fmt"
	"log"

	"github.com/feidi-dev/feidi/epid"
)

// A member joins a group and signs, and somebody verifies.
func Example() {
	issuer, err := epid.NewIssuer(nil, epid.GroupID{0, 0, 0, 1})
	if err != nil {
		log.Fatal(err)
	}
	group := issuer.Group()

	secret, err := epid.NewSecret(nil)
	if err != nil {
		log.Fatal(err)
	}
	nonce := epid.Nonce{1} // drawn by the issuer
	request, err := group.Join(nil, epid.SHA256, secret, nonce)
	if err != nil {
		log.Fatal(err)
	}
	credential, err := issuer.Certify(nil, epid.SHA256, nonce, request)
	if err != nil {
		log.Fatal(err)
	}
	member, err := group.NewMember(credential.PrivateKey(secret), epid.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	signature, err := member.Sign(nil, []byte("quote"), []byte("service"), nil)
	if err != nil {
		log.Fatal(err)
	}

	verifier := epid.Verifier{Group: group, Basename: []byte("service")}
	fmt.Println(verifier.Verify(signature, []byte("quote")))
	fmt.Println(verifier.Verify(signature, []byte("another quote")))
	// Output:
	// <nil>
	// EPID: the signature is not valid
}
