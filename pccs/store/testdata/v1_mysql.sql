CREATE TABLE pccs_schema (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL);
INSERT INTO pccs_schema VALUES (1, 1, 0);

CREATE TABLE pccs_chains (
	sha256 BINARY(32) NOT NULL PRIMARY KEY,
	pem    LONGBLOB NOT NULL
);
CREATE TABLE pccs_documents (
	name        VARBINARY(2560) NOT NULL PRIMARY KEY,
	issued      BIGINT NOT NULL,
	next_update BIGINT NOT NULL,
	evaluation  BIGINT NOT NULL,
	fetched     BIGINT NOT NULL,
	origin      VARBINARY(32) NOT NULL,
	chain       BINARY(32),
	body        LONGBLOB NOT NULL
);
CREATE TABLE pccs_fetches (
	name       VARBINARY(2560) NOT NULL PRIMARY KEY,
	tried      BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	failures   BIGINT NOT NULL,
	reason     VARBINARY(64) NOT NULL,
	message    VARBINARY(1024) NOT NULL,
	request_id VARBINARY(128) NOT NULL
);
CREATE TABLE pccs_claims (
	name    VARBINARY(2560) NOT NULL PRIMARY KEY,
	holder  VARBINARY(255) NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX pccs_claims_expires ON pccs_claims (expires);
CREATE TABLE pccs_platforms (
	id             BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	qe_id          VARBINARY(260) NOT NULL,
	pce_id         VARBINARY(4) NOT NULL,
	fmspc          VARBINARY(12) NOT NULL,
	ca             VARBINARY(16) NOT NULL,
	updated        BIGINT NOT NULL,
	issuers        BINARY(32),
	encrypted_ppid LONGBLOB,
	manifest       LONGBLOB,
	UNIQUE (qe_id, pce_id)
);
CREATE INDEX pccs_platforms_fmspc ON pccs_platforms (fmspc, qe_id, pce_id);
CREATE TABLE pccs_certs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	tcbm     VARBINARY(36) NOT NULL,
	cert     LONGBLOB NOT NULL,
	PRIMARY KEY (platform, tcbm)
);
CREATE TABLE pccs_tcbs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	cpu_svn  VARBINARY(32) NOT NULL,
	pce_svn  VARBINARY(4) NOT NULL,
	tcbm     VARBINARY(36) NOT NULL,
	PRIMARY KEY (platform, cpu_svn, pce_svn)
);
CREATE TABLE pccs_registrations (
	qe_id          VARBINARY(260) NOT NULL,
	pce_id         VARBINARY(4) NOT NULL,
	cpu_svn        VARBINARY(32) NOT NULL,
	pce_svn        VARBINARY(4) NOT NULL,
	state          BIGINT NOT NULL,
	registered     BIGINT NOT NULL,
	drain          BIGINT,
	encrypted_ppid LONGBLOB,
	manifest       LONGBLOB,
	PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn)
);
CREATE INDEX pccs_registrations_state ON pccs_registrations (state);
CREATE INDEX pccs_registrations_drain ON pccs_registrations (drain);
CREATE TABLE pccs_policies (
	fmspc VARBINARY(12) NOT NULL,
	kind  BIGINT NOT NULL,
	id    VARBINARY(96) NOT NULL,
	body  LONGBLOB NOT NULL,
	PRIMARY KEY (fmspc, kind, id)
);
CREATE TABLE pccs_policy_defaults (
	fmspc VARBINARY(12) NOT NULL,
	kind  BIGINT NOT NULL,
	id    VARBINARY(96) NOT NULL,
	PRIMARY KEY (fmspc, kind)
);
