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

-- Versions of before take the unit and the kind of every batch for the stream's. Beside this one,
-- and whoever else writes, only an operator's change counts, which says so in its transaction.
CREATE FUNCTION keep_stream_metadata() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('aetherops.describing', true) IS DISTINCT FROM 'on' THEN
        NEW.unit := OLD.unit;
        NEW.kind := OLD.kind;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER keep_metadata BEFORE UPDATE ON stream FOR EACH ROW
WHEN (OLD.unit IS DISTINCT FROM NEW.unit OR OLD.kind IS DISTINCT FROM NEW.kind)
EXECUTE FUNCTION keep_stream_metadata();
