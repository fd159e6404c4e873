-- expand
-- What is read off the events of workflows: a row a workflow, its past as intervals of positions, and
-- kept states. All of it can be made again from the events, so it may be changed and deleted.

-- Read models are filled from the first event on under a generation. A new one is filled beside the
-- one that answers, and takes its place by one row of workflow_living.
CREATE TABLE workflow_generation (
    generation   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fold_version bigint NOT NULL,               -- of the program that fills it; grows
    position     bigint NOT NULL DEFAULT 0,     -- of the last event that it holds
    moved_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_retired   boolean NOT NULL DEFAULT false -- its rows are being removed
) WITH (fillfactor = 50);

CREATE TABLE workflow_living (
    model      text PRIMARY KEY,
    generation integer NOT NULL REFERENCES workflow_generation
);

CREATE TABLE workflow_summary (
    generation        integer NOT NULL,
    -- C collation: ids sort by code point everywhere.
    workflow_id       text COLLATE "C" NOT NULL,
    name              text COLLATE "C" NOT NULL,
    owner             text COLLATE "C",
    form              text COLLATE "C" NOT NULL,
    status            text COLLATE "C" NOT NULL,
    is_done           boolean NOT NULL,
    paused            boolean NOT NULL,
    reached           smallint NOT NULL,        -- the furthest state on the good way, as its index
    stage             smallint NOT NULL,        -- of a mission
    running_steps     text[] COLLATE "C" NOT NULL,
    pending_approvals text[] COLLATE "C" NOT NULL,
    error             text,
    search_text       text COLLATE "C" NOT NULL, -- id and name, case folded, a line each
    version           bigint NOT NULL,
    created_us        bigint NOT NULL,          -- microseconds since 1970, as of events
    recorded_us       bigint NOT NULL,          -- of the last event
    known_since_us    bigint,                   -- captured then from a program that kept no events
    first_position    bigint NOT NULL,
    since_position    bigint NOT NULL,          -- status, owner and pause are these since then
    position          bigint NOT NULL,
    PRIMARY KEY (workflow_id, generation)
) WITH (fillfactor = 70);

-- None of them has a column that every event changes: most updates touch no index. None begins with
-- the generation: nearly all rows have the same, and the planner must not take it for a key.
CREATE INDEX workflow_summary_by_status ON workflow_summary (status, workflow_id, generation);
CREATE INDEX workflow_summary_by_owner ON workflow_summary (owner, workflow_id, generation);
CREATE INDEX workflow_summary_under_way ON workflow_summary (workflow_id, generation)
    WHERE NOT is_done;

-- What a workflow was over [from_position, to_position). The present one stands in workflow_summary
-- alone, so that rows here are added as they end and never changed.
CREATE TABLE workflow_interval (
    generation    integer NOT NULL,
    workflow_id   text COLLATE "C" NOT NULL,
    status        text COLLATE "C" NOT NULL,
    owner         text COLLATE "C",
    paused        boolean NOT NULL,
    from_position bigint NOT NULL,
    to_position   bigint NOT NULL,
    PRIMARY KEY (workflow_id, to_position, generation),
    CHECK (from_position < to_position)
);

-- Of the whole fleet.
CREATE INDEX workflow_interval_at ON workflow_interval (to_position, from_position, generation);

-- Workflows with an event that the program could not read: their rows stand still there.
CREATE TABLE workflow_parked (
    generation  integer NOT NULL,
    workflow_id text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    reason      text NOT NULL,
    parked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (generation, workflow_id)
);

-- States of workflows at some of their versions, to begin from instead of from the first event. Only
-- ever a shortcut: what is damaged, or of another projection, is not used.
CREATE TABLE workflow_snapshot (
    workflow_id        text COLLATE "C" NOT NULL,
    projection_version integer NOT NULL,
    version            bigint NOT NULL,
    recorded_at        timestamptz NOT NULL,   -- of the event of that version
    event_id           uuid NOT NULL,          -- and its id
    state              bytea NOT NULL,         -- JSON, deflated
    digest             bytea NOT NULL,
    PRIMARY KEY (workflow_id, projection_version, version)
);

-- Deflated already: compressing it again costs time and gains nothing.
ALTER TABLE workflow_snapshot ALTER COLUMN state SET STORAGE EXTERNAL;
