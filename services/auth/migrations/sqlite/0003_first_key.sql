-- On its own: CockroachDB fills a new column after the transaction that adds it.
UPDATE signing_keys SET signs_from = created_at WHERE signs_from = 0;
