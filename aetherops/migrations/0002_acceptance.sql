-- The order of acceptance: epochs of the queue, and how far each is stored. Only adds, so that a
-- version that knows neither goes on beside it.

CREATE TABLE acceptance_epoch (
    epoch     bigint PRIMARY KEY,
    queue     text NOT NULL,       -- which queue counts in it: one made anew is another
    opened_at timestamptz NOT NULL DEFAULT now()
);

-- The highest sequence that is stored, in rows enough that writers do not wait for each other.
CREATE TABLE acceptance_progress (
    epoch    bigint NOT NULL,
    writer   integer NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (epoch, writer)
) WITH (fillfactor = 50);
