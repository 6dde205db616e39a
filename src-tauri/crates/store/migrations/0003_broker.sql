-- Schema 3: the broker. Permanent.

ALTER TABLE meta ADD COLUMN rules TEXT CHECK (rules IS NULL OR json_valid(rules));

ALTER TABLE agents ADD COLUMN paused TEXT CHECK (paused IS NULL OR json_valid(paused));
ALTER TABLE agents ADD COLUMN removed_at INTEGER;

-- Tasks that were presented, until they could not be presented any more.
CREATE TABLE tasks (
  id      BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32),
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_ends ON tasks (ends_at);

-- What the person said once for a while.
CREATE TABLE choices (
  n             INTEGER NOT NULL PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  agent         TEXT NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
  grant_id      TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  operation     TEXT NOT NULL CHECK (operation <> ''),
  purpose_class TEXT NOT NULL CHECK (purpose_class <> ''),
  until_at      INTEGER NOT NULL,
  made_at       INTEGER NOT NULL,
  UNIQUE (agent, grant_id, operation, purpose_class)
) STRICT;

-- How often a grant was used, by day since 1970 in UTC: the list counts without reading the log.
CREATE TABLE uses (
  grant_id TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
  day      INTEGER NOT NULL,
  calls    INTEGER NOT NULL CHECK (calls >= 0),
  refused  INTEGER NOT NULL CHECK (refused >= 0),
  last_at  INTEGER,
  PRIMARY KEY (grant_id, day)
) STRICT, WITHOUT ROWID;

-- As the grant, both are computed from the hashed body.
ALTER TABLE audit ADD COLUMN agent_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.agent')) VIRTUAL;
ALTER TABLE audit ADD COLUMN kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.event')) VIRTUAL;

CREATE INDEX audit_of_agent ON audit (agent_id, seq) WHERE agent_id IS NOT NULL;
CREATE INDEX audit_of_kind ON audit (kind, seq);

-- A grant's life without what its agent did day by day, however much that is.
CREATE INDEX audit_life ON audit (grant_id, seq) WHERE grant_id IS NOT NULL AND kind NOT IN
  ('call_answered', 'call_made', 'call_refused', 'lease_given', 'lease_returned', 'question_answered', 'question_asked', 'task_refused');
