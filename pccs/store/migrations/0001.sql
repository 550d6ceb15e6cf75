-- Words that begin with $ are what the databases have different names for.
-- Keys are compared byte by byte in all of them.

-- Issuer chains, each once. They are never deleted: there are a handful.
CREATE TABLE pccs_chains (
	sha256 $HASH NOT NULL PRIMARY KEY,
	pem    $BYTES NOT NULL
);

CREATE TABLE pccs_documents (
	name        $TEXT(2560) NOT NULL PRIMARY KEY,
	issued      BIGINT NOT NULL,
	next_update BIGINT NOT NULL,
	evaluation  BIGINT NOT NULL,
	fetched     BIGINT NOT NULL,
	origin      $TEXT(32) NOT NULL,
	chain       $HASH,
	body        $BYTES NOT NULL
);

CREATE TABLE pccs_fetches (
	name       $TEXT(2560) NOT NULL PRIMARY KEY,
	tried      BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	failures   BIGINT NOT NULL,
	reason     $TEXT(64) NOT NULL,
	message    $TEXT(1024) NOT NULL,
	request_id $TEXT(128) NOT NULL
);

CREATE TABLE pccs_claims (
	name    $TEXT(2560) NOT NULL PRIMARY KEY,
	holder  $TEXT(255) NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX pccs_claims_expires ON pccs_claims (expires);

CREATE TABLE pccs_platforms (
	id             $ID,
	qe_id          $TEXT(260) NOT NULL,
	pce_id         $TEXT(4) NOT NULL,
	fmspc          $TEXT(12) NOT NULL,
	ca             $TEXT(16) NOT NULL,
	updated        BIGINT NOT NULL,
	issuers        $HASH,
	encrypted_ppid $BYTES,
	manifest       $BYTES,
	UNIQUE (qe_id, pce_id)
);
CREATE INDEX pccs_platforms_fmspc ON pccs_platforms (fmspc, qe_id, pce_id);

-- PCK certificates. They are more than a kilobyte each, and so not clustered.
CREATE TABLE pccs_certs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	tcbm     $TEXT(36) NOT NULL,
	cert     $BYTES NOT NULL,
	PRIMARY KEY (platform, tcbm)
);

-- Raw TCBs, and the certificate that was chosen for each.
CREATE TABLE pccs_tcbs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	cpu_svn  $TEXT(32) NOT NULL,
	pce_svn  $TEXT(4) NOT NULL,
	tcbm     $TEXT(36) NOT NULL,
	PRIMARY KEY (platform, cpu_svn, pce_svn)
) $CLUSTERED;

-- A drain marks its rows with a number of its own, and then reads those.
CREATE TABLE pccs_registrations (
	qe_id          $TEXT(260) NOT NULL,
	pce_id         $TEXT(4) NOT NULL,
	cpu_svn        $TEXT(32) NOT NULL,
	pce_svn        $TEXT(4) NOT NULL,
	state          BIGINT NOT NULL,
	registered     BIGINT NOT NULL,
	drain          BIGINT,
	encrypted_ppid $BYTES,
	manifest       $BYTES,
	PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn)
);
CREATE INDEX pccs_registrations_state ON pccs_registrations (state);
CREATE INDEX pccs_registrations_drain ON pccs_registrations (drain);

CREATE TABLE pccs_policies (
	fmspc $TEXT(12) NOT NULL,
	kind  BIGINT NOT NULL,
	id    $TEXT(96) NOT NULL,
	body  $BYTES NOT NULL,
	PRIMARY KEY (fmspc, kind, id)
);

-- The default of each kind: a row of its own, so that there cannot be two.
CREATE TABLE pccs_policy_defaults (
	fmspc $TEXT(12) NOT NULL,
	kind  BIGINT NOT NULL,
	id    $TEXT(96) NOT NULL,
	PRIMARY KEY (fmspc, kind)
);
