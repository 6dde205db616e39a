-- Schema 2: a grant's whole life. Permanent.

ALTER TABLE meta ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0 CHECK (anchored IN (0, 1));
ALTER TABLE meta ADD COLUMN marked INTEGER NOT NULL DEFAULT 0 CHECK (marked IN (0, 1));
ALTER TABLE meta ADD COLUMN stopped_at INTEGER;
ALTER TABLE meta ADD COLUMN lock_settings TEXT CHECK (lock_settings IS NULL OR json_valid(lock_settings));
ALTER TABLE meta ADD COLUMN kek_litter TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(kek_litter));

ALTER TABLE kek ADD COLUMN protection TEXT NOT NULL DEFAULT 'keychain'
  CHECK (protection IN ('keychain', 'keychain_and_passphrase', 'passphrase'));
ALTER TABLE kek ADD COLUMN wrapped BLOB CHECK ((wrapped IS NULL) = (protection = 'keychain'));

ALTER TABLE grants ADD COLUMN scopes TEXT CHECK (scopes IS NULL OR json_valid(scopes));
ALTER TABLE grants ADD COLUMN confirmed_at INTEGER;
ALTER TABLE grants ADD COLUMN narrowing TEXT CHECK (narrowing IS NULL OR json_valid(narrowing));
ALTER TABLE grants ADD COLUMN paused_at INTEGER;
ALTER TABLE grants ADD COLUMN reconnect TEXT CHECK (reconnect IS NULL OR json_valid(reconnect));
ALTER TABLE grants ADD COLUMN renews TEXT REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE grants ADD COLUMN reminded TEXT;

-- One consent is renewed once.
CREATE UNIQUE INDEX grants_renew_once ON grants (renews) WHERE renews IS NOT NULL;

ALTER TABLE attempts ADD COLUMN renews TEXT REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED;

-- Several access tokens of one grant can be alive at the bank: each is kept until it has run out or is revoked.
CREATE TABLE sealed_2 (
  grant_id   TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  kind       INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  ends_at    INTEGER,
  blob       BLOB NOT NULL CHECK (length(blob) > 0),
  PRIMARY KEY (grant_id, kind, generation)
) STRICT;
INSERT INTO sealed_2 (grant_id, kind, generation, ends_at, blob)
  SELECT grant_id, kind, generation,
    CASE kind WHEN 2 THEN (SELECT access_token_ends_at FROM grants WHERE id = grant_id) END, blob
  FROM sealed;
DROP TABLE sealed;
ALTER TABLE sealed_2 RENAME TO sealed;

CREATE TABLE refreshes (
  grant_id   TEXT NOT NULL PRIMARY KEY REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  in_flight  INTEGER,
  unanswered INTEGER NOT NULL CHECK (unanswered BETWEEN 0 AND 255),
  failures   INTEGER NOT NULL CHECK (failures >= 0),
  trouble    TEXT CHECK (trouble IS NULL OR json_valid(trouble)),
  tried_at   INTEGER,
  next_try   INTEGER
) STRICT;
