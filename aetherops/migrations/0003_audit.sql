-- expand

-- Who changed what. Only ever appended to: the role that serves may insert and read.
CREATE TABLE audit_entry (
    entry_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us       bigint NOT NULL,
    operator    text NOT NULL,
    action      text NOT NULL,     -- an explicit name, such as stream.describe
    subject     text NOT NULL,     -- what was changed, such as a stream's name
    old         jsonb NOT NULL,
    new         jsonb NOT NULL,
    correlation text NOT NULL      -- the id of the request that did it
);

CREATE INDEX audit_entry_subject ON audit_entry (subject, entry_id);

-- Batches that were not stored for what they say of their streams. One that is replayed and stored
-- later has a receipt as well, which then counts.
CREATE TABLE refusal (
    refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id   uuid NOT NULL,
    reason     text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX refusal_batch ON refusal (batch_id, refusal_id);
