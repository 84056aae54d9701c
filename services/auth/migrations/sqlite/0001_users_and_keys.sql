CREATE TABLE users (
    user_id       TEXT    NOT NULL PRIMARY KEY,
    password_hash TEXT    NOT NULL,
    scope         TEXT    NOT NULL,
    standing      TEXT    NOT NULL CHECK (standing IN ('active', 'frozen')),
    limit_minor   INTEGER NOT NULL CHECK (limit_minor >= 0),
    limit_currency TEXT   NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

-- The signing key lives in the store, so that all replicas publish and use the same one.
CREATE TABLE signing_keys (
    kid         TEXT    NOT NULL PRIMARY KEY,
    private_key BLOB    NOT NULL,
    -- 1 in the row of the key that signs, NULL in all others.
    in_use      INTEGER UNIQUE CHECK (in_use = 1),
    created_at  INTEGER NOT NULL
) STRICT;
