-- Orders are listed, filtered and counted without reading their bodies.

CREATE TABLE orders_rebuilt (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    account_id      INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL,
    type            TEXT    NOT NULL,        -- model::work::Work::name
    status          TEXT    NOT NULL,        -- model::order::State::status
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    operation       TEXT    NOT NULL,        -- that made it; idempotency keys are its own
    idempotency_key TEXT,
    body            TEXT    NOT NULL,        -- JSON, model::order::Order
    UNIQUE (account_id, operation, idempotency_key)
) STRICT;
INSERT INTO orders_rebuilt
SELECT seq, id, account_id, number, body ->> '$.work.kind', body ->> '$.state.status',
       body ->> '$.name', body ->> '$.createdAt', operation, idempotency_key, body
FROM orders;
DROP TABLE orders;
ALTER TABLE orders_rebuilt RENAME TO orders;
-- With all that a listing looks at: a keyword is then sought in a third of the time.
CREATE INDEX orders_by_account ON orders (account_id, seq, type, status, name, id);

-- How many orders an account has of each type and status, by the day (since 1970) they were made.
CREATE TABLE tallies (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    type       TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    day        INTEGER NOT NULL,
    orders     INTEGER NOT NULL,
    PRIMARY KEY (account_id, type, status, day)
) STRICT, WITHOUT ROWID;
INSERT INTO tallies
SELECT account_id, type, status, created_at / 86400000, COUNT(*) FROM orders GROUP BY 1, 2, 3, 4;

CREATE TRIGGER orders_tally AFTER INSERT ON orders BEGIN
    INSERT INTO tallies VALUES (new.account_id, new.type, new.status, new.created_at / 86400000, 1)
    ON CONFLICT DO UPDATE SET orders = orders + 1;
END;
CREATE TRIGGER orders_retally AFTER UPDATE OF status ON orders WHEN new.status <> old.status BEGIN
    UPDATE tallies SET orders = orders - 1
    WHERE account_id = old.account_id AND type = old.type AND status = old.status
      AND day = old.created_at / 86400000;
    INSERT INTO tallies VALUES (new.account_id, new.type, new.status, new.created_at / 86400000, 1)
    ON CONFLICT DO UPDATE SET orders = orders + 1;
END;
