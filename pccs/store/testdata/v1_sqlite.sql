CREATE TABLE pccs_schema (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL);
INSERT INTO pccs_schema VALUES (1, 1, 0);

CREATE TABLE pccs_chains (
	sha256 BLOB NOT NULL PRIMARY KEY,
	pem    BLOB NOT NULL
);
CREATE TABLE pccs_documents (
	name        TEXT NOT NULL PRIMARY KEY,
	issued      BIGINT NOT NULL,
	next_update BIGINT NOT NULL,
	evaluation  BIGINT NOT NULL,
	fetched     BIGINT NOT NULL,
	origin      TEXT NOT NULL,
	chain       BLOB,
	body        BLOB NOT NULL
);
CREATE TABLE pccs_fetches (
	name       TEXT NOT NULL PRIMARY KEY,
	tried      BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	failures   BIGINT NOT NULL,
	reason     TEXT NOT NULL,
	message    TEXT NOT NULL,
	request_id TEXT NOT NULL
);
CREATE TABLE pccs_claims (
	name    TEXT NOT NULL PRIMARY KEY,
	holder  TEXT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX pccs_claims_expires ON pccs_claims (expires);
CREATE TABLE pccs_platforms (
	id             INTEGER PRIMARY KEY,
	qe_id          TEXT NOT NULL,
	pce_id         TEXT NOT NULL,
	fmspc          TEXT NOT NULL,
	ca             TEXT NOT NULL,
	updated        BIGINT NOT NULL,
	issuers        BLOB,
	encrypted_ppid BLOB,
	manifest       BLOB,
	UNIQUE (qe_id, pce_id)
);
CREATE INDEX pccs_platforms_fmspc ON pccs_platforms (fmspc, qe_id, pce_id);
CREATE TABLE pccs_certs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	tcbm     TEXT NOT NULL,
	cert     BLOB NOT NULL,
	PRIMARY KEY (platform, tcbm)
);
CREATE TABLE pccs_tcbs (
	platform BIGINT NOT NULL REFERENCES pccs_platforms (id) ON DELETE CASCADE,
	cpu_svn  TEXT NOT NULL,
	pce_svn  TEXT NOT NULL,
	tcbm     TEXT NOT NULL,
	PRIMARY KEY (platform, cpu_svn, pce_svn)
) WITHOUT ROWID;
CREATE TABLE pccs_registrations (
	qe_id          TEXT NOT NULL,
	pce_id         TEXT NOT NULL,
	cpu_svn        TEXT NOT NULL,
	pce_svn        TEXT NOT NULL,
	state          BIGINT NOT NULL,
	registered     BIGINT NOT NULL,
	drain          BIGINT,
	encrypted_ppid BLOB,
	manifest       BLOB,
	PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn)
);
CREATE INDEX pccs_registrations_state ON pccs_registrations (state);
CREATE INDEX pccs_registrations_drain ON pccs_registrations (drain);
CREATE TABLE pccs_policies (
	fmspc TEXT NOT NULL,
	kind  BIGINT NOT NULL,
	id    TEXT NOT NULL,
	body  BLOB NOT NULL,
	PRIMARY KEY (fmspc, kind, id)
);
CREATE TABLE pccs_policy_defaults (
	fmspc TEXT NOT NULL,
	kind  BIGINT NOT NULL,
	id    TEXT NOT NULL,
	PRIMARY KEY (fmspc, kind)
);
