-- How often a job was started and did not end: the process died meanwhile. The start of a job that
-- ends is taken back, by deleting or postponing the row.
ALTER TABLE jobs ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
