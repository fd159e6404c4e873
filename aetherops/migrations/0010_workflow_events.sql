-- expand
-- The events of workflows, in one order without gaps; and the epochs of those who hold workflows.
-- Both tables are only appended to, by nobody but the functions below.

-- Wide columns first, then those of any width: nothing is lost to alignment. Times are microseconds
-- since 1970, which drivers read at a third of the price of timestamps. No index on recorded_us: it
-- grows with the position, which has no gaps, so an instant is found by halving.
CREATE TABLE workflow_event (
    position       bigint      PRIMARY KEY,
    occurred_us    bigint      NOT NULL,
    recorded_us    bigint      NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    schema_version smallint    NOT NULL,
    event_id       uuid        NOT NULL UNIQUE,
    correlation_id uuid,
    causation_id   uuid,
    workflow_id    text        NOT NULL,
    kind           text        NOT NULL,
    actor          text        NOT NULL,
    payload        bytea       NOT NULL,
    UNIQUE (workflow_id, version)
);

CREATE TABLE workflow_epoch (
    workflow_id text        NOT NULL,
    epoch       bigint      NOT NULL,
    began_us    bigint NOT NULL,
    PRIMARY KEY (workflow_id, epoch)
);

CREATE FUNCTION workflow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND current_setting('aetherops.appending', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE insufficient_privilege USING
        MESSAGE = format('%s is append-only: no %s', TG_TABLE_NAME, TG_OP),
        HINT = 'Append by workflow_append(), begin an epoch by workflow_fence().';
END $$;

CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON workflow_event
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_append_only();
CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON workflow_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_append_only();

-- Whoever appends waits here until the one before has committed: that is the order. Statements
-- that follow see what it left, for each takes a snapshot of its own; so no other isolation level.
CREATE FUNCTION workflow_take_turn() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE invalid_transaction_state USING
            MESSAGE = 'events are appended in transactions that read what is committed',
            HINT = 'Leave default_transaction_isolation as it is.';
    END IF;
    PERFORM pg_advisory_xact_lock(x'AE7E00000002'::bigint);
END $$;

-- Appends, each of events of one workflow, each stored whole or not at all. No workflow and no
-- event id stands in two of them. Returns, a line an append: whether it was stored, whether an id
-- of its events was known before, and the version and epoch that its workflow had; and the
-- position and time of the first event that was stored, which the others follow one by one.
CREATE FUNCTION workflow_append(
    workflow_ids text[], expected_versions bigint[], epochs bigint[],
    of_append integer[], versions bigint[], event_ids uuid[], kinds text[],
    schema_versions smallint[], occurred_us bigint[], actors text[],
    correlation_ids uuid[], causation_ids uuid[], payloads bytea[],
    OUT stored boolean[], OUT known boolean[], OUT actual_versions bigint[],
    OUT actual_epochs bigint[], OUT first_position bigint, OUT first_recorded_us bigint
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
-- Every look is one probe of an index, however large the table was when the plan was made.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    known_appends bigint[];
    now_us bigint;
BEGIN
    PERFORM workflow_take_turn();

    -- The clock itself: now() is when the transaction began, before it waited for its turn.
    now_us := extract(epoch FROM clock_timestamp()) * 1000000;
    SELECT e.position + 1, greatest(now_us, e.recorded_us + 1)
    INTO first_position, first_recorded_us
    FROM workflow_event AS e ORDER BY e.position DESC LIMIT 1;
    IF first_position IS NULL THEN
        first_position := 1;
        first_recorded_us := now_us;
    END IF;

    SELECT coalesce(array_agg(n.append), '{}') INTO known_appends
    FROM unnest(event_ids, of_append) AS n (event_id, append)
    WHERE EXISTS (SELECT FROM workflow_event AS e WHERE e.event_id = n.event_id);

    SELECT array_agg(seen.version ORDER BY i), array_agg(seen.epoch ORDER BY i),
           array_agg(seen.known ORDER BY i),
           array_agg(NOT seen.known AND seen.version = a.expected
                     AND (a.epoch IS NULL OR a.epoch = seen.epoch) ORDER BY i)
    INTO actual_versions, actual_epochs, known, stored
    FROM unnest(workflow_ids, expected_versions, epochs)
         WITH ORDINALITY AS a (workflow_id, expected, epoch, i)
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT max(e.version) FROM workflow_event AS e
                         WHERE e.workflow_id = a.workflow_id), 0)::bigint AS version,
               CASE WHEN a.epoch IS NULL THEN 0 ELSE
                   coalesce((SELECT max(h.epoch) FROM workflow_epoch AS h
                             WHERE h.workflow_id = a.workflow_id), 0) END AS epoch,
               a.i = ANY (known_appends) AS known
    ) AS seen;

    PERFORM set_config('aetherops.appending', 'on', true);
    INSERT INTO workflow_event (position, recorded_us, workflow_id, version, event_id, kind,
        schema_version, occurred_us, actor, correlation_id, causation_id, payload)
    SELECT first_position + row_number() OVER (ORDER BY n.i) - 1,
           first_recorded_us + row_number() OVER (ORDER BY n.i) - 1,
           workflow_ids[n.append], n.version, n.event_id, n.kind,
           n.schema_version, n.occurred_us, n.actor, n.correlation_id, n.causation_id, n.payload
    FROM unnest(of_append, versions, event_ids, kinds, schema_versions, occurred_us, actors,
                correlation_ids, causation_ids, payloads)
         WITH ORDINALITY AS n (append, version, event_id, kind, schema_version, occurred_us,
                               actor, correlation_id, causation_id, payload, i)
    WHERE stored[n.append];
    PERFORM set_config('aetherops.appending', 'off', true);
END $$;

CREATE FUNCTION workflow_fence(workflow_id text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
DECLARE
    next_epoch bigint;
BEGIN
    PERFORM workflow_take_turn();
    PERFORM set_config('aetherops.appending', 'on', true);
    INSERT INTO workflow_epoch (workflow_id, epoch, began_us)
    SELECT $1, coalesce(max(h.epoch), 0) + 1, extract(epoch FROM clock_timestamp()) * 1000000
    FROM workflow_epoch AS h WHERE h.workflow_id = $1
    RETURNING epoch INTO next_epoch;
    PERFORM set_config('aetherops.appending', 'off', true);
    RETURN next_epoch;
END $$;

-- These run as the owner: they see the tables of this schema alone, and are for who was granted
-- them (aetherops/migrations/rights.toml).
DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN SELECT oid FROM pg_proc
        WHERE proname IN ('workflow_append', 'workflow_fence')
        AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp',
                       function, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
    END LOOP;
END $$;
