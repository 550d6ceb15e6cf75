package aesm

import (
	"context"

	"github.com/feidi-dev/feidi/isa"
)

// RegisterWhiteList is the only type of data that Register takes: a white list
// for the launch enclave (SGX_REGISTER_WHITE_LIST_CERT).
const RegisterWhiteList = 0

// GetLaunchToken returns a token with which the enclave can be initialized on a
// machine without flexible launch control. The modulus is that of the signer's
// key, in the order of a SIGSTRUCT.
func (c *Client) GetLaunchToken(ctx context.Context, mrEnclave [32]byte, modulus *[isa.RSAKeySize]byte, attributes isa.Attributes) (*isa.EinitToken, error) {
	r := &GetLaunchTokenRequest{MREnclave: mrEnclave[:], MRSigner: modulus[:], Timeout: c.millis()}
	r.Attributes, _ = attributes.AppendBinary(nil) // has no errors
	resp, err := ask[*GetLaunchTokenResponse](ctx, c, r)
	if err != nil {
		return nil, err
	}
	token := new(isa.EinitToken)
	if err := token.UnmarshalBinary(resp.Token); err != nil {
		return nil, badAnswer(r.Kind(), err)
	}
	return token, nil
}

// GetWhiteListSize returns the size in bytes of the launch enclave's white list.
func (c *Client) GetWhiteListSize(ctx context.Context) (uint32, error) {
	resp, err := ask[*GetWhiteListSizeResponse](ctx, c, &GetWhiteListSizeRequest{Timeout: c.millis()})
	if err != nil {
		return 0, err
	}
	return resp.Size, nil
}

// GetWhiteList returns the launch enclave's white list. It asks for its size
// first, as the service demands.
func (c *Client) GetWhiteList(ctx context.Context) ([]byte, error) {
	size, err := c.GetWhiteListSize(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := ask[*GetWhiteListResponse](ctx, c, &GetWhiteListRequest{Size: size, Timeout: c.millis()})
	if err != nil {
		return nil, err
	}
	return resp.List, nil
}

// RegisterWhiteList gives the launch enclave a new white list, with the
// certificates that it needs.
func (c *Client) RegisterWhiteList(ctx context.Context, list []byte) error {
	_, err := ask[*RegisterResponse](ctx, c, &RegisterRequest{Buf: list, DataType: RegisterWhiteList, Timeout: c.millis()})
	return err
}
