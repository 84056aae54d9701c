-- Tokens of the user that were issued before this time are refused.
ALTER TABLE users ADD COLUMN tokens_not_before BIGINT NOT NULL DEFAULT 0;

-- The newest entry's number. One row, locked from its update to the commit, so that numbers become visible in their
-- order: a sequence's could not, and who polls for later ones would miss one for ever.
CREATE TABLE revocation_counter (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    newest BIGINT NOT NULL
);

INSERT INTO revocation_counter (id, newest) VALUES (1, 0);

-- One token, or all tokens of a subject that were issued before a time. At `exp` the entry may be forgotten.
CREATE TABLE revocations (
    number     BIGINT NOT NULL PRIMARY KEY,
    jti        TEXT    UNIQUE,
    subject    TEXT    UNIQUE,
    not_before BIGINT,
    exp        BIGINT NOT NULL,
    CHECK ((jti IS NULL) <> (subject IS NULL)),
    CHECK ((subject IS NULL) = (not_before IS NULL))
);

CREATE INDEX revocations_exp ON revocations (exp);
