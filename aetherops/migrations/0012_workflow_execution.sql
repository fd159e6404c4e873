-- expand
-- Who executes which workflow. What happened stands in events alone: these tables only say what there
-- is to do and who is at it, and their rows go when that is over.

-- A row a runner that lives; a restarted one is another. Times are this server's.
CREATE TABLE workflow_runner (
    runner     uuid        PRIMARY KEY,
    name       text        NOT NULL,
    lease_ms   integer     NOT NULL CHECK (lease_ms > 0),  -- silent for longer, it is taken for dead
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- A row a workflow that is not at its end.
CREATE TABLE workflow_run (
    -- C collation, as ids have everywhere.
    workflow_id    text COLLATE "C" PRIMARY KEY,
    definition     text COLLATE "C" NOT NULL,  -- name:version
    due_at         timestamptz,                -- null: an event makes it due
    runner         uuid,                       -- who holds it
    epoch          bigint  NOT NULL DEFAULT 0, -- since when: of the last claim
    seen_position  bigint  NOT NULL DEFAULT 0, -- of the last event that its last holder saw
    woken_position bigint  NOT NULL DEFAULT 0  -- of the last event by which somebody changed it
) WITH (fillfactor = 70);

CREATE INDEX workflow_run_due ON workflow_run (due_at) WHERE runner IS NULL AND due_at IS NOT NULL;
CREATE INDEX workflow_run_held ON workflow_run (runner) WHERE runner IS NOT NULL;

-- Up to where events were looked through for what operators changed. One row.
CREATE TABLE workflow_waker (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    position bigint NOT NULL
);
INSERT INTO workflow_waker (position) SELECT coalesce(max(position), 0) FROM workflow_event;
