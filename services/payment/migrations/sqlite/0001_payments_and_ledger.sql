CREATE TABLE payments (
    payment_id     TEXT    NOT NULL PRIMARY KEY,
    order_id       TEXT    NOT NULL,
    payer          TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('captured')),
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),
    currency       TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    created_at     TEXT    NOT NULL,
    -- Whatever key it comes with, a payer's order is captured once.
    UNIQUE (payer, order_id)
) STRICT;

-- Double entry: the rows of one payment sum to zero per currency. Append only.
CREATE TABLE ledger (
    entry_id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    payment_id   TEXT    NOT NULL REFERENCES payments (payment_id),
    account      TEXT    NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    currency     TEXT    NOT NULL,
    created_at   TEXT    NOT NULL
) STRICT;

CREATE INDEX ledger_by_account ON ledger (account, entry_id);

CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append only');
END;

CREATE TRIGGER ledger_is_never_shortened BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append only');
END;

CREATE TABLE idempotency_keys (
    key          TEXT    NOT NULL PRIMARY KEY,
    fingerprint  TEXT    NOT NULL,
    status       INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    location     TEXT,
    body         BLOB    NOT NULL,
    created_at   TEXT    NOT NULL
) STRICT;
