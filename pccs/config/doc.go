// Package config reads how a PCCS is to run: a file in TOML, or the
// default.json of Intel's service as it stands. It reads files and checks
// values; it opens no database and asks nobody.
//
// A file in TOML, with what holds where a key is left out:
//
//	mode   = "LAZY"                # or "REQ", "OFFLINE": when the service behind is asked
//	listen = ["127.0.0.1:8081"]    # addresses
//
//	[tls]
//	cert = "tls.crt"               # PEM; without it one is made and signed by itself
//	key  = "tls.key"               # PEM
//	off  = false                   # true: plain HTTP, behind a proxy that does TLS
//
//	[database]
//	address       = "postgres://feidi@db/feidi"  # or mysql://..., sqlite:FILE; else a file in the state directory
//	password_file = "password"     # of the address, which has none then
//
//	[upstream]                     # the service behind
//	url          = "https://api.trustedservices.intel.com"
//	api_key_file = "api-key"       # a subscription key of Intel's, which PCK certificates take
//	proxy        = "http://proxy:3128"  # else what the environment says
//	roots        = ["root.pem"]    # who else than Intel's root is trusted; it is not, then
//	timeout      = "30s"           # of a request
//	attempts     = 4               # for a document
//
//	[tokens]                       # SHA-512 in hexadecimal: `feidi pccs token`; without it nobody may
//	user_sha512  = ""              # register platforms
//	admin_sha512 = ""              # administer
//
//	[freshness]
//	refresh_after = "24h"          # age at which a document is fetched again
//	certs_after   = "7d"           # the same for the PCK certificates of a platform
//	max_stale     = "0s"           # age at which one is served no longer that could not be; 0: when it expires
//	expired       = "warn"         # or "refuse": documents that have expired
//	max_expired   = "0s"           # "warn" up to so long; 0: for good
//
//	[limits]
//	body            = "2MiB"       # of a request
//	header_timeout  = "10s"        # to send the header of a request
//	request_timeout = "15s"        # to send the whole
//	idle_timeout    = "60s"        # of a connection between requests
//	requests        = 256          # that are worked at, at a time
//	connections     = 1024         # that are open at a time
//	drain           = "30s"        # for what is under way when it is to stop
//	cache_time      = "1s"         # for which an answer is served again without looking
//
//	[log]
//	level = "info"                 # or "debug", "warn", "error"
//
// Names of files are relative to the folder of the file that has them. Sizes
// have units up to GiB, durations those of Go and "d".
//
// Nothing in the environment overrides a file. Of a secret that the file does
// not name, a file is taken that has its name in the folder
// $CREDENTIALS_DIRECTORY, as systemd passes them: api_key, database_password,
// user_sha512, admin_sha512, tls_cert and tls_key.
package config
