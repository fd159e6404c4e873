"""Counts of limits outlive the instance that counted."""

import pytest

from aetherops.api.metrics.registry import Metrics
from aetherops.archive.intake import Backlog
from aetherops.bootstrap.limits import limits_kept
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.runtime.settings import LimitSettings, Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def tight(tmp_path):
    limits = LimitSettings(
        address_requests_per_s=1, address_burst=2, query_cost_per_s=1, query_burst=2
    )
    return Settings(data_dir=tmp_path, limits=limits)


class EmptyQueue:
    """Nothing waits to be stored."""

    async def backlog(self):
        return Backlog(batches=0, bytes=0, limit_bytes=1_000, taken=0)


def kept(settings, redis):
    return limits_kept(settings, redis, EmptyQueue(), Metrics())


@pytest.fixture
def redis(guarded_redis):
    return guarded_redis


@pytest.mark.parametrize("gate", ["addresses", "queries"])
async def test_a_restart_forgives_nobody(tight, redis, gate):
    async with kept(tight, redis) as limits:
        await getattr(limits.admission, gate).admit("ada", 2)

    async with kept(tight, redis) as limits:
        with pytest.raises(RateLimitedError):
            await getattr(limits.admission, gate).admit("ada", 2)


async def test_a_damaged_file_is_ignored(tight, redis, tmp_path):
    (tmp_path / "address-limits.bin").write_bytes(b"nonsense")

    async with kept(tight, redis) as limits:
        await limits.admission.addresses.admit("ada")


async def test_limits_that_are_off_stand_nowhere(tmp_path, redis):
    async with kept(Settings(data_dir=tmp_path, rate_limits="off"), redis) as limits:
        assert limits.admission.ingest is None
        assert not limits.parts


async def test_replicas_share_an_operators_limit(tight, redis, tmp_path):
    other = tight.model_copy(update={"data_dir": tmp_path / "other"})
    other.data_dir.mkdir()
    async with kept(tight, redis) as one, kept(other, redis) as two:
        await one.admission.queries.admit("ada", 2)
        with pytest.raises(RateLimitedError):
            await two.admission.queries.admit("ada", 2)


@pytest.mark.parametrize(("adapt", "parts"), [(True, ["load-watch"]), (False, [])])
async def test_only_limits_that_follow_the_load_are_watched(tmp_path, redis, adapt, parts):
    settings = Settings(data_dir=tmp_path, limits=LimitSettings(adapt=adapt))
    async with kept(settings, redis) as limits:
        assert list(limits.parts) == parts
