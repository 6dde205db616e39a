-- Schema 1. Permanent: what changes later is a file beside this one.
-- Times are milliseconds since 1970. `n` keeps the order in which rows came, whatever the clock did.
-- References are checked at COMMIT, so that a job may write its rows in any order.

CREATE TABLE meta (
  only    INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  install TEXT NOT NULL CHECK (length(install) = 16)
) STRICT;

CREATE TABLE kek (
  only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  id         TEXT NOT NULL CHECK (length(id) = 16),
  check_blob BLOB NOT NULL CHECK (length(check_blob) > 0)
) STRICT;

CREATE TABLE agents (
  n         INTEGER NOT NULL PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  name      TEXT NOT NULL CHECK (name <> ''),
  name_fold TEXT NOT NULL UNIQUE CHECK (name_fold <> ''),
  key       BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
  added_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE grants (
  n                    INTEGER NOT NULL PRIMARY KEY,
  id                   TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  provider             TEXT NOT NULL CHECK (provider <> ''),
  provider_name        TEXT NOT NULL,
  issuer               TEXT NOT NULL CHECK (issuer <> ''),
  agent                TEXT NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
  permissions          TEXT NOT NULL CHECK (json_valid(permissions)),
  missing              TEXT NOT NULL CHECK (json_valid(missing)),
  extra                TEXT NOT NULL CHECK (json_valid(extra)),
  accounts             TEXT NOT NULL CHECK (json_valid(accounts)),
  holder               TEXT,
  created_at           INTEGER NOT NULL,
  ends_at              INTEGER NOT NULL,
  access_token_ends_at INTEGER,
  generation           INTEGER NOT NULL CHECK (generation >= 0),
  cut_off_at           INTEGER,
  token                TEXT CHECK (token IS NULL OR json_valid(token)),
  CHECK ((cut_off_at IS NULL) = (token IS NULL))
) STRICT;

-- Nothing revoked comes back, whatever a query does.
CREATE TRIGGER grants_stay_cut_off
BEFORE UPDATE ON grants
WHEN OLD.cut_off_at IS NOT NULL AND NEW.cut_off_at IS NOT OLD.cut_off_at
BEGIN
  SELECT RAISE(ABORT, 'a cut-off is for ever');
END;

CREATE TRIGGER grants_stay
BEFORE DELETE ON grants
BEGIN
  SELECT RAISE(ABORT, 'grants are kept');
END;

CREATE TABLE attempts (
  n           INTEGER NOT NULL PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  random      INTEGER NOT NULL CHECK (random BETWEEN 0 AND 130320),
  provider    TEXT NOT NULL CHECK (provider <> ''),
  agent       TEXT NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
  permissions TEXT NOT NULL CHECK (json_valid(permissions)),
  until_at    INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  deadline    INTEGER,
  openings    INTEGER NOT NULL CHECK (openings >= 0),
  strays      INTEGER NOT NULL CHECK (strays >= 0),
  browser     TEXT NOT NULL,
  stage       TEXT NOT NULL,
  ending      TEXT CHECK (ending IS NULL OR json_valid(ending)),
  ended_at    INTEGER,
  grant_id    TEXT UNIQUE REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  revision    INTEGER NOT NULL CHECK (revision >= 0),
  CHECK ((ending IS NULL) = (ended_at IS NULL))
) STRICT;

CREATE INDEX attempts_open ON attempts (n) WHERE ending IS NULL;

CREATE TABLE sealed (
  grant_id   TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  kind       INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  blob       BLOB NOT NULL CHECK (length(blob) > 0),
  PRIMARY KEY (grant_id, kind)
) STRICT;

CREATE TABLE outbox (
  n        INTEGER NOT NULL PRIMARY KEY,
  grant_id TEXT NOT NULL UNIQUE REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE receipts (
  n        INTEGER NOT NULL PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  grant_id TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE INDEX receipts_of ON receipts (grant_id);

-- The grant is computed from the hashed body, so it cannot say anything else.
CREATE TABLE audit (
  seq      INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 1),
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL CHECK (json_valid(body)),
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  grant_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.grant')) VIRTUAL
) STRICT;

CREATE INDEX audit_of ON audit (grant_id, seq) WHERE grant_id IS NOT NULL;

CREATE TRIGGER audit_follows
BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN
  SELECT RAISE(ABORT, 'audit records follow each other');
END;

CREATE TRIGGER audit_is_not_changed
BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit records are not changed');
END;

CREATE TRIGGER audit_is_not_cut
BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit records are not deleted');
END;
