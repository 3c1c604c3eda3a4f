-- The file of an upload goes, its row stays: no later upload is given its number and so its id.
ALTER TABLE uploads ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
