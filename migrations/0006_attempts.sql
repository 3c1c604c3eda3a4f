-- What a rule has decided of an attempt that is put off; the delivery is then not ruled again.
ALTER TABLE deliveries ADD COLUMN put_off TEXT;  -- JSON, model::webhook::PutOff

-- Every attempt at a delivery, as it was made.
CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    delivery_id TEXT    NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    body        TEXT    NOT NULL             -- JSON, model::webhook::Attempt
) STRICT;
CREATE INDEX attempts_by_account ON attempts (account_id, id);
CREATE INDEX attempts_by_delivery ON attempts (delivery_id);
