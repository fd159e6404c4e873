"""Late, repeated and corrected samples settle to one value an instant."""

import numpy as np
from hypothesis import given, strategies as st

from aetherops.archive.merge import IncomingSamples, VersionedSamples, merge_samples
from aetherops.archive.samples import Samples

batch = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([1.0, 2.0, 0.0, -0.0])), max_size=8)


def incoming(rows, version, origin):
    columns = VersionedSamples(
        Samples.of([t for t, _ in rows], [v for _, v in rows]),
        np.full(len(rows), version, np.int64),
    )
    return IncomingSamples(columns, np.full(len(rows), origin, np.intp))


def rows(columns):
    samples = columns.samples
    return list(zip(samples.times_us.tolist(), samples.values.tolist(), strict=True))


def bits(pairs):
    return [(t, np.float64(v).tobytes()) for t, v in pairs]


@given(st.lists(batch, max_size=5), st.randoms(use_true_random=False))
def test_the_outcome_is_the_latest_version_of_each_instant_in_any_order_of_arrival(batches, random):
    expected = {t: v for rows_of_batch in batches for t, v in rows_of_batch}
    order = list(enumerate(batches))
    random.shuffle(order)

    held = VersionedSamples.empty()
    for version, rows_of_batch in order:
        held, _ = merge_samples(held, incoming(rows_of_batch, version, 0), 1)

    assert bits(rows(held)) == bits(sorted(expected.items()))


@given(st.lists(batch, min_size=1, max_size=4))
def test_every_sample_is_counted_once_and_stored_ones_are_the_distinct_instants(batches):
    parts = [incoming(rows_of_batch, i, i) for i, rows_of_batch in enumerate(batches)]
    joined = IncomingSamples(
        VersionedSamples.join(part.versioned for part in parts),
        np.concatenate([part.origin for part in parts]),
    )

    merged, tally = merge_samples(VersionedSamples.empty(), joined, len(batches))

    counted = tally.stored + tally.duplicates + tally.corrected
    assert counted.tolist() == [len(rows_of_batch) for rows_of_batch in batches]
    assert tally.stored.sum() == len(merged)


def test_a_repeated_sample_is_a_duplicate_and_another_value_a_correction():
    held, _ = merge_samples(VersionedSamples.empty(), incoming([(1, 10.0), (2, 20.0)], 1, 0), 1)

    merged, tally = merge_samples(held, incoming([(1, 10.0), (2, 21.0), (3, 30.0)], 2, 0), 1)

    assert rows(merged) == [(1, 10.0), (2, 21.0), (3, 30.0)]
    assert (tally.stored[0], tally.duplicates[0], tally.corrected[0]) == (1, 1, 1)


def test_an_older_version_that_comes_late_does_not_win():
    held, _ = merge_samples(VersionedSamples.empty(), incoming([(1, 2.0)], 5, 0), 1)

    merged, tally = merge_samples(held, incoming([(1, 1.0)], 4, 0), 1)

    assert rows(merged) == [(1, 2.0)]
    assert (tally.stored[0], tally.duplicates[0], tally.corrected[0]) == (0, 1, 0)


@given(st.lists(batch, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_correction_is_counted_where_it_took_the_place_of_another_value(batches, random):
    order = list(enumerate(batches))
    random.shuffle(order)

    held, model = VersionedSamples.empty(), {}
    for version, rows_of_batch in order:
        held, tally = merge_samples(held, incoming(rows_of_batch, version, 0), 1)
        corrected = 0
        for t, value in rows_of_batch:
            before, seen = model.get(t, (value, -1))
            if version >= seen:
                corrected += np.float64(before).tobytes() != np.float64(value).tobytes()
                model[t] = value, version
        assert tally.corrected[0] == corrected


def test_a_duplicate_carries_its_version_so_that_an_older_correction_cannot_undo_it():
    held, _ = merge_samples(VersionedSamples.empty(), incoming([(1, 1.0)], 1, 0), 1)
    held, _ = merge_samples(held, incoming([(1, 1.0)], 3, 0), 1)
    held, _ = merge_samples(held, incoming([(1, 9.0)], 2, 0), 1)

    assert rows(held) == [(1, 1.0)]
