-- Ids of webhooks and of event rows are integers, as BIZ MORI has them.

-- The new id of each endpoint that there is or that an attempt names. It begins with the account's: a
-- snapshot is migrated alone, and its endpoints must not get ids of other accounts' endpoints.
CREATE TABLE endpoint_ids (id INTEGER PRIMARY KEY, old TEXT NOT NULL UNIQUE) STRICT;
INSERT OR IGNORE INTO endpoint_ids
SELECT account_id * 1000000
       + ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY length(old), old), old
FROM (SELECT account_id, id AS old FROM endpoints UNION SELECT account_id, endpoint_id FROM attempts);

-- Deliveries keep their row ids, which were never given twice. Those that are gone get free ones.
CREATE TABLE delivery_ids (id INTEGER PRIMARY KEY, old TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO delivery_ids SELECT seq, id FROM deliveries;
INSERT INTO delivery_ids (old)
SELECT delivery_id FROM attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)
GROUP BY delivery_id ORDER BY MIN(id);

CREATE TABLE endpoints_rebuilt (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    snowflake    INTEGER NOT NULL,           -- the account's; the secret was drawn with it
    name         TEXT,
    url          TEXT    NOT NULL,
    secret       TEXT    NOT NULL,
    test         INTEGER NOT NULL,
    active       INTEGER NOT NULL,
    last_sent_at INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    legacy       INTEGER NOT NULL            -- 1: the one that the legacy route knows
) STRICT;
INSERT INTO endpoints_rebuilt
SELECT endpoint_ids.id, account_id, CAST(old AS INTEGER), name, url, secret, test, active,
       last_sent_at, created_at, updated_at, legacy
FROM endpoints JOIN endpoint_ids ON old = endpoints.id;

CREATE TABLE deliveries_rebuilt (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT    NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    endpoint_id  INTEGER NOT NULL REFERENCES endpoints_rebuilt (id) ON DELETE CASCADE,
    status       TEXT    NOT NULL,
    retries      INTEGER NOT NULL,
    due_at       INTEGER,                    -- of the next attempt; null: there is none
    last_sent_at INTEGER,
    created_at   INTEGER NOT NULL,
    put_off      TEXT                        -- JSON, model::webhook::PutOff
) STRICT;
INSERT INTO deliveries_rebuilt
SELECT seq, event_id, endpoint_ids.id, status, retries, due_at, last_sent_at, created_at, put_off
FROM deliveries JOIN endpoint_ids ON old = endpoint_id;

CREATE TABLE attempts_rebuilt (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- ordinal among the attempts of its account
    endpoint_id INTEGER NOT NULL,
    delivery_id INTEGER NOT NULL,
    event_id    TEXT    NOT NULL,            -- an event lives as long as its account
    body        TEXT    NOT NULL,            -- JSON, model::webhook::Attempt
    UNIQUE (account_id, number)
) STRICT;
INSERT INTO attempts_rebuilt
SELECT attempts.id, account_id, number, endpoint_ids.id, delivery_ids.id, event_id, body
FROM attempts JOIN endpoint_ids ON endpoint_ids.old = endpoint_id
              JOIN delivery_ids ON delivery_ids.old = delivery_id;

UPDATE jobs SET subject = (SELECT CAST(id AS TEXT) FROM endpoint_ids WHERE old = subject)
WHERE kind = 'webhook.deliver' AND subject IN (SELECT old FROM endpoint_ids);

-- Children first: the rows of a dropped table are deleted, and those that refer to them too.
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE endpoints;
ALTER TABLE endpoints_rebuilt RENAME TO endpoints;
ALTER TABLE deliveries_rebuilt RENAME TO deliveries;
ALTER TABLE attempts_rebuilt RENAME TO attempts;

CREATE INDEX endpoints_by_account ON endpoints (account_id, id);
CREATE UNIQUE INDEX endpoints_legacy ON endpoints (account_id) WHERE legacy;
CREATE INDEX deliveries_by_event ON deliveries (event_id);
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint_id, id);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_put_off ON deliveries (endpoint_id, id) WHERE put_off IS NOT NULL;
CREATE INDEX attempts_by_endpoint ON attempts (endpoint_id, id);

-- No id is given again that an attempt names.
DELETE FROM sqlite_sequence WHERE name IN ('endpoints', 'deliveries');
INSERT INTO sqlite_sequence (name, seq)
SELECT 'endpoints', COALESCE(MAX(id), 0) FROM endpoint_ids
UNION ALL SELECT 'deliveries', COALESCE(MAX(id), 0) FROM delivery_ids;
DROP TABLE endpoint_ids;
DROP TABLE delivery_ids;
