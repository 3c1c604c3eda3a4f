-- What a test wants done to which requests and orders, and how often.

CREATE TABLE rules (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,  -- null: all accounts
    number     INTEGER NOT NULL,             -- among its account's; its chance is drawn by it
    body       TEXT    NOT NULL,             -- JSON, model::rule::Rule
    seen       INTEGER NOT NULL DEFAULT 0,   -- matches, those that it let pass included
    hits       INTEGER NOT NULL DEFAULT 0    -- those that it was applied to
) STRICT;
CREATE INDEX rules_by_account ON rules (account_id, number);
