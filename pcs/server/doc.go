// Package server is Intel's Provisioning Certification Service and registration
// service for a world of our own: the PCS API v4 and the registration API v1,
// with Intel's paths, parameters, headers and status codes, so that any client
// of Intel's takes it for Intel's once it is pointed here.
//
//	s := server.New(w, server.Options{})
//	err := s.Serve(ctx, listener)
//
//	GET       /sgx/certification/v4/pckcert   ?encrypted_ppid&cpusvn&pcesvn&pceid
//	POST      /sgx/certification/v4/pckcert   {platformManifest, cpusvn, pcesvn, pceid}
//	GET       /sgx/certification/v4/pckcerts  ?encrypted_ppid&pceid
//	POST      /sgx/certification/v4/pckcerts  {platformManifest, pceid}
//	GET       /sgx/certification/v4/pckcrl    ?ca=processor|platform [&encoding=pem|der]
//	GET /{sgx,tdx}/certification/v4/tcb       ?fmspc [&update=early|standard | &tcbEvaluationDataNumber]
//	GET /{sgx,tdx}/certification/v4/qe/identity   the same but for fmspc
//	GET       /sgx/certification/v4/qve/identity  the same
//	GET       /sgx/certification/v4/fmspcs    [?platform=all|client|E3|E5]
//	GET /{sgx,tdx}/certification/v4/tcbevaluationdatanumbers
//	POST      /sgx/registration/v1/platform   PLATFORM_MANIFEST: 201 and the PPID
//	POST      /sgx/registration/v1/package    ADD_REQUEST: 200 and 8 membership certificates
//
// Besides there are the file of the root CRL where the certificates say that it
// is (and under the name that it has at Intel), and the two routes for it that
// a PCCS adds for clients which take this for one: rootcacrl and crl?uri=.
// Versions 1 to 3 of the API are retired here as at Intel's: 410. What Intel
// has beyond this is not there: pckcerts/config, the identity of the QAE.
//
// Paths are those of the URL's host: a world whose URL has a path of its own
// stands behind a proxy that takes it off.
//
// Two things differ on purpose. Who posts a manifest for certificates has
// registered the platform with it; Intel's then forgets its keys. And a
// refusal, whose body is empty as Intel's, always says in the headers
// Error-Code and Error-Message what was wrong, which Intel's does for some.
//
// Sources: Intel's PCS and registration API documentation
// (api.portal.trustedservices.intel.com), and the clients of it in Intel's DCAP
// repository (pccs, SGXPlatformRegistration).
package server
