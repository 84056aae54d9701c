-- Keys take turns. `in_use` marks the first one, for replicas of the version before, which read that one alone: a
-- rolling upgrade still runs them.
ALTER TABLE signing_keys ADD COLUMN signs_from BIGINT NOT NULL DEFAULT 0;
-- Each key's is one more than the newest one's, so of two replicas that add the next key at once one fails.
ALTER TABLE signing_keys ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX signing_keys_generation ON signing_keys (generation);
