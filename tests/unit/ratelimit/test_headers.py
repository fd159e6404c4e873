"""HTTP fields, as draft-ietf-httpapi-ratelimit-headers-10 and RFC 9110 write them."""

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import BucketLimit, Decision, Rate, Reason, TokenBucket, WindowLimit
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.headers import limit_fields, policy_field, refusal_fields


def test_a_policy_tells_quota_and_window():
    assert policy_field("default", [WindowLimit(100, 60_000_000)]) == '"default";q=100;w=60'
    assert policy_field("burst", [BucketLimit(10, Rate.of(3))]) == '"burst";q=10;w=4'


def test_several_limits_are_several_policies():
    limits = [BucketLimit(10, Rate.of(10)), BucketLimit(100, Rate.of("100/hour"))]
    assert policy_field("api", limits) == '"api";q=10;w=1, "api-2";q=100;w=3600'


def test_a_granted_decision_tells_what_remains_until_when(clock):
    bucket = TokenBucket(100, 2, clock_ns=clock)
    assert limit_fields("default", bucket.decide("k", 40)) == {"RateLimit": '"default";r=60;t=20'}


def test_a_refusal_tells_when_to_come_again(clock):
    bucket = TokenBucket(10, 4, clock_ns=clock)
    bucket.allow("k", 10)
    assert limit_fields("default", bucket.decide("k", 5)) == {
        "RateLimit": '"default";r=0;t=2',
        "Retry-After": "2",
    }


def test_retry_after_is_at_least_a_second_and_a_day_for_never():
    soon = Decision(False, 1, 0, 0, 0, Reason.LIMIT)
    never = Decision(False, 1, 1, None, 0, Reason.TOO_LARGE)
    assert limit_fields("d", soon)["Retry-After"] == "1"
    assert limit_fields("d", never) == {"RateLimit": '"d";r=1;t=86400', "Retry-After": "86400"}


@pytest.mark.parametrize("name", ["", 'quo"te', "line\n", "ü", "x" * 65, "back\\slash"])
def test_a_name_that_a_field_cannot_hold_is_refused(name):
    with pytest.raises(InvalidInputError, match="policy name"):
        policy_field(name, [])


@pytest.mark.parametrize("limits", [(), (BucketLimit(1, Rate.of(1)),)])
def test_a_refusal_tells_its_policy_where_it_is_known(clock, limits):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    fields = refusal_fields(RateLimitedError("api", bucket.decide("k"), limits))
    assert fields["Retry-After"] == "1"
    assert ("RateLimit-Policy" in fields) == bool(limits)
