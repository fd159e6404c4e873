-- Telemetry: streams, their samples as chunks, and the receipts of stored batches.

CREATE TABLE stream (
    stream_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- C collation: prefixes are index ranges, and names sort as bytes everywhere.
    name       text COLLATE "C" NOT NULL UNIQUE,
    unit       text NOT NULL,
    kind       text NOT NULL,
    count      bigint NOT NULL DEFAULT 0,
    first_us   bigint,
    last_us    bigint,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Chunks of a stream never overlap: whoever writes merges. A range read is one index range,
-- every summary can be trusted, and no reader removes duplicates.
CREATE TABLE chunk (
    stream_id   bigint NOT NULL REFERENCES stream,
    start_us    bigint NOT NULL,
    end_us      bigint NOT NULL,             -- instant of the last sample, included
    count       integer NOT NULL,
    mean        double precision NOT NULL,
    m2          double precision NOT NULL,   -- sum of squared deviations from the mean
    minimum     double precision NOT NULL,
    maximum     double precision NOT NULL,
    first_value double precision NOT NULL,
    last_value  double precision NOT NULL,
    codec       smallint NOT NULL,
    times       bytea NOT NULL,
    "values"    bytea NOT NULL,
    versions    bytea NOT NULL,
    PRIMARY KEY (stream_id, start_us),
    CHECK (end_us >= start_us),
    CHECK (count > 0)
);

-- The columns are packed already: compressing them again costs time and gains nothing.
ALTER TABLE chunk
    ALTER COLUMN times SET STORAGE EXTERNAL,
    ALTER COLUMN "values" SET STORAGE EXTERNAL,
    ALTER COLUMN versions SET STORAGE EXTERNAL;

CREATE TABLE receipt (
    batch_id   uuid PRIMARY KEY,
    stored     bigint NOT NULL,
    duplicates bigint NOT NULL,
    corrected  bigint NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX receipt_stored_at ON receipt USING brin (stored_at);

-- For Grafana and psql: what is held, without decoding a sample.
CREATE VIEW stream_summary AS
SELECT s.name,
       s.unit,
       s.kind,
       s.count,
       to_timestamp(s.first_us / 1e6) AS first_at,
       to_timestamp(s.last_us / 1e6)  AS last_at,
       min(c.minimum)                 AS minimum,
       max(c.maximum)                 AS maximum,
       sum(c.mean * c.count) / nullif(sum(c.count), 0) AS mean,
       count(c.start_us)              AS chunks,
       sum(octet_length(c.times) + octet_length(c."values") + octet_length(c.versions))
                                      AS packed_bytes
FROM stream AS s
LEFT JOIN chunk AS c USING (stream_id)
GROUP BY s.stream_id;
