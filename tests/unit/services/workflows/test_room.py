"""What a client may put into one workflow has bounds, and what ends it is let in all the same."""

from __future__ import annotations

import asyncio

import pytest

from aetherops.errors import LimitExceededError
from aetherops.workflow.room import MAX_OPEN, MAX_STATE_BYTES, MAX_WORDS

MEBIBYTE = "x" * (1 << 20)


async def refused(command, what, store):
    """A command is refused with this limit, and nothing is stored of it."""
    before = await store.last_position()
    with pytest.raises(LimitExceededError) as error:
        await command
    assert error.value.what == what
    assert await store.last_position() == before


async def test_artifacts_fill_a_state_up_to_its_bound_and_no_further(commands, ann, store):
    await commands.create(ann, "burn-7")
    piece = MEBIBYTE[:-100]
    for i in range(MAX_STATE_BYTES >> 20):
        await commands.attach(ann, "burn-7", f"part-{i}", piece)
    more = commands.attach(ann, "burn-7", "part-more", piece)
    await refused(more, "bytes in the state of a workflow", store)
    smaller = await commands.attach(ann, "burn-7", "part-0", "replaced")
    assert smaller.artifacts["part-0"] == "replaced"


async def test_a_full_workflow_can_still_be_brought_to_its_end(commands, ann, store):
    await commands.create(ann, "burn-7")
    await commands.start_step(ann, "burn-7", "align")
    for i in range(MAX_STATE_BYTES >> 20):
        await commands.attach(ann, "burn-7", f"part-{i}", MEBIBYTE[:-100])
    with pytest.raises(LimitExceededError):  # the last bytes
        await asyncio.gather(
            *(commands.attach(ann, "burn-7", f"rest-{i}", "x" * 100) for i in range(8))
        )
    start = commands.start_step(ann, "burn-7", "y" * 200)
    await refused(start, "bytes in the state of a workflow", store)
    large = commands.complete_step(ann, "burn-7", "align", result="z" * 10_000)
    await refused(large, "bytes in the state of a workflow", store)
    await commands.complete_step(ann, "burn-7", "align", result={"error_deg": 0.02})
    assert (await commands.cancel(ann, "burn-7", reason="full")).is_done


@pytest.mark.parametrize("what", ["running steps", "waiting approvals", "timers"])
async def test_so_much_is_open_at_once_and_no_more(commands, ann, store, clock, what):
    def another(i):
        name = f"n{i}"
        if what == "running steps":
            return commands.start_step(ann, "burn-7", name)
        if what == "waiting approvals":
            return commands.request_approval(ann, "burn-7", name)
        return commands.set_timer(ann, "burn-7", name, clock.now)

    await commands.create(ann, "burn-7")
    for i in range(MAX_OPEN):
        await another(i)
    await refused(another(MAX_OPEN), f"{what} in one workflow", store)


async def test_words_have_a_length(commands, ann, store):
    await commands.create(ann, "burn-7")
    words = "x" * (MAX_WORDS + 1)
    await refused(commands.pause(ann, "burn-7", reason=words), "characters in reason", store)
    await refused(commands.cancel(ann, "burn-7", reason=words), "characters in reason", store)
    assert (await commands.cancel(ann, "burn-7", reason=words[1:])).is_done
