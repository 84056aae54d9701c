CREATE TABLE orders (
    order_id       TEXT    NOT NULL PRIMARY KEY,
    user_id        TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'paid', 'cancelled')),
    items          TEXT    NOT NULL,
    total_minor    BIGINT NOT NULL CHECK (total_minor > 0),
    currency       TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    payment_id     TEXT,
    created_at     TEXT    NOT NULL,
    -- The request that made it, in its scope: a repeated request finds this order again.
    request_key    TEXT    NOT NULL UNIQUE,
    fingerprint    TEXT    NOT NULL,
    -- What the request was answered with, once the order is paid or cancelled.
    answer_status       BIGINT,
    answer_content_type TEXT,
    answer_location     TEXT,
    answer_body         BYTEA,
    CHECK ((state = 'pending') = (answer_status IS NULL)),
    CHECK (state <> 'paid' OR payment_id IS NOT NULL)
);

CREATE INDEX pending_orders ON orders (created_at) WHERE state = 'pending';
