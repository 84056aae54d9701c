-- Tokens of the user that were issued before this time are refused.
ALTER TABLE users ADD COLUMN tokens_not_before INTEGER NOT NULL DEFAULT 0;

-- The newest entry's number. One row, locked from its update to the commit, so that numbers become visible in their
-- order: a sequence's could not, and who polls for later ones would miss one for ever.
CREATE TABLE revocation_counter (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    newest INTEGER NOT NULL
) STRICT;

INSERT INTO revocation_counter (id, newest) VALUES (1, 0);

-- One token, or all tokens of a subject that were issued before a time. At `exp` the entry may be forgotten.
CREATE TABLE revocations (
    number     INTEGER NOT NULL PRIMARY KEY,
    jti        TEXT    UNIQUE,
    subject    TEXT    UNIQUE,
    not_before INTEGER,
    exp        INTEGER NOT NULL,
    CHECK ((jti IS NULL) <> (subject IS NULL)),
    CHECK ((subject IS NULL) = (not_before IS NULL))
) STRICT;

CREATE INDEX revocations_exp ON revocations (exp);
