-- What was given back of a payment. With the amount it says how far the payment is; `state` is what it was made in.
ALTER TABLE payments
    ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor);
