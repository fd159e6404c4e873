"""Chunks of a stream never overlap, and small ones grow together."""

import itertools

import numpy as np
from hypothesis import given, strategies as st

from aetherops.archive.chunk import MIN_CHUNK_SAMPLES
from aetherops.archive.placement import NEIGHBOURS, Span, place

spans_and_times = st.lists(st.integers(0, 400), unique=True, max_size=40).flatmap(
    lambda edges: st.tuples(
        st.just(sorted(edges)), st.lists(st.integers(-5, 405), min_size=1, max_size=30)
    )
)


def spans_between(edges, count=2):
    return [Span(a, b, count) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(spans_and_times)
def test_each_sample_is_placed_once_and_the_outcome_does_not_overlap(case):
    edges, times = case
    spans, times = spans_between(edges), np.array(sorted(times))

    rewrites = place(times, spans)

    assert [i for r in rewrites for i in range(r.first, r.last)] == list(range(len(times)))
    touched = [i for r in rewrites for i in r.spans]
    assert touched == sorted(set(touched))
    kept = [span for i, span in enumerate(spans) if i not in touched]
    written = [
        Span(
            min([int(times[r.first]), *(spans[i].start_us for i in r.spans)]),
            max([int(times[r.last - 1]), *(spans[i].end_us for i in r.spans)]),
            0,
        )
        for r in rewrites
    ]
    everything = sorted(kept + written, key=lambda span: span.start_us)
    assert all(a.end_us < b.start_us for a, b in itertools.pairwise(everything))


def test_a_sample_inside_a_chunk_rewrites_that_chunk_alone():
    spans = [Span(0, 10, 5_000), Span(20, 30, 9_000), Span(40, 50, 9_000)]

    (rewrite,) = place(np.array([25]), spans)

    assert rewrite.spans == range(1, 2)


def test_a_large_batch_behind_the_last_chunk_leaves_it_alone():
    (rewrite,) = place(np.arange(100, 20_100), [Span(0, 10, MIN_CHUNK_SAMPLES)])

    assert list(rewrite.spans) == []


def test_tiny_appends_end_in_full_chunks_and_each_sample_is_packed_a_few_times_only():
    counts: list[int] = []
    packed = 0
    step = 5
    total = 4 * MIN_CHUNK_SAMPLES
    for n in range(0, total, step):
        spans, at = [], 0
        for count in counts:
            spans.append(Span(at, at + count - 1, count))
            at += count
        (rewrite,) = place(np.arange(n, n + step), spans[-NEIGHBOURS:])
        absorbed = len(rewrite.spans)
        merged = sum(counts[len(counts) - absorbed :]) + step
        counts[len(counts) - absorbed :] = [merged]
        packed += merged

    assert sum(count < MIN_CHUNK_SAMPLES for count in counts) <= 12
    assert packed / total < 13
