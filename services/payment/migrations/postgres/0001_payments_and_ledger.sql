CREATE TABLE payments (
    payment_id     TEXT    NOT NULL PRIMARY KEY,
    order_id       TEXT    NOT NULL,
    payer          TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('captured')),
    amount_minor   BIGINT NOT NULL CHECK (amount_minor > 0),
    currency       TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    created_at     TEXT    NOT NULL,
    -- Whatever key it comes with, a payer's order is captured once.
    UNIQUE (payer, order_id)
);

-- Double entry: the rows of one payment sum to zero per currency. Append only.
CREATE TABLE ledger (
    entry_id     BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id   TEXT    NOT NULL REFERENCES payments (payment_id),
    account      TEXT    NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor <> 0),
    currency     TEXT    NOT NULL,
    created_at   TEXT    NOT NULL
);

CREATE INDEX ledger_by_account ON ledger (account, entry_id);

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append only';
END;
$$;

CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE OR DELETE ON ledger
FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();

CREATE TRIGGER ledger_is_never_emptied BEFORE TRUNCATE ON ledger
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE TABLE idempotency_keys (
    key          TEXT    NOT NULL PRIMARY KEY,
    fingerprint  TEXT    NOT NULL,
    status       BIGINT NOT NULL,
    content_type TEXT    NOT NULL,
    location     TEXT,
    body         BYTEA    NOT NULL,
    created_at   TEXT    NOT NULL
);
