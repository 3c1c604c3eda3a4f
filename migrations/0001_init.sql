-- Times are integer milliseconds since 1970 by the clock of the account.
-- An account's row is one life of it: a reset deletes the row, and all that hangs on it goes too.

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT    NOT NULL UNIQUE,
    settings   TEXT    NOT NULL,             -- JSON, model::account::Settings
    clock      TEXT,                         -- JSON, clock::Clock; null: it follows the default
    spent      INTEGER NOT NULL DEFAULT 0,   -- credits
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE default_clock (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    clock TEXT NOT NULL                      -- JSON, clock::Clock
) STRICT;

-- The hosts that presigned URLs were made for.
CREATE TABLE hosts (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE orders (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    account_id      INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL,
    operation       TEXT    NOT NULL,        -- that made it; idempotency keys are its own
    idempotency_key TEXT,
    body            TEXT    NOT NULL,        -- JSON, model::order::Order
    UNIQUE (account_id, operation, idempotency_key)
) STRICT;
CREATE INDEX orders_by_account ON orders (account_id, seq);

-- Undetectable: what a presigned URL was given out for.
CREATE TABLE uploads (
    id         TEXT    PRIMARY KEY,          -- the UUID in the object's key
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,             -- the how-manieth of its account
    key        TEXT    NOT NULL,
    name       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_account ON uploads (account_id, number);

CREATE TABLE endpoints (
    id           TEXT    PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT,
    url          TEXT    NOT NULL,
    secret       TEXT    NOT NULL,
    test         INTEGER NOT NULL,
    active       INTEGER NOT NULL,
    last_sent_at INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoints_by_account ON endpoints (account_id, id);

CREATE TABLE events (
    id         TEXT    PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    body       TEXT    NOT NULL              -- the very bytes that are signed and sent
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_account ON events (account_id);

CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    event_id     TEXT    NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    endpoint_id  TEXT    NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    status       TEXT    NOT NULL,
    retries      INTEGER NOT NULL,
    due_at       INTEGER,                    -- of the next attempt; null: there is none
    last_sent_at INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_event ON deliveries (event_id);
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint_id, seq);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, seq) WHERE due_at IS NOT NULL;

CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    clock_id   INTEGER NOT NULL,             -- 0, or the account's id if it has its own clock
    kind       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    due_at     INTEGER NOT NULL,
    UNIQUE (kind, subject)
) STRICT;
CREATE INDEX jobs_due ON jobs (clock_id, due_at, id);
CREATE INDEX jobs_by_account ON jobs (account_id);
