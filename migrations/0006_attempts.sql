-- What a rule has decided of an attempt that is put off; the delivery is then not ruled again.
ALTER TABLE deliveries ADD COLUMN put_off TEXT;  -- JSON, model::webhook::PutOff
CREATE INDEX deliveries_put_off ON deliveries (endpoint_id, seq) WHERE put_off IS NOT NULL;

-- Every attempt at a delivery, as it was made; it outlives the endpoint and the delivery.
CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- the how-manieth of its account
    endpoint_id TEXT    NOT NULL,
    delivery_id TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,            -- an event lives as long as its account
    body        TEXT    NOT NULL,            -- JSON, model::webhook::Attempt
    UNIQUE (account_id, number)
) STRICT;
CREATE INDEX attempts_by_endpoint ON attempts (endpoint_id, id);
