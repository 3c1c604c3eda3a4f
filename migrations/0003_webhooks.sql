-- The endpoint that the legacy route knows: one of an account at most.
ALTER TABLE endpoints ADD COLUMN legacy INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX endpoints_legacy ON endpoints (account_id) WHERE legacy;
