"""Bearer tokens: what is accepted, and each thing that is not."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings, strategies as st

from aetherops.errors import InvalidInputError, UnauthenticatedError
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import AUDIENCE, ISSUER, TokenIssuer, TokenVerifier

NOW = 1_770_000_000.0
KEY = SigningKey.generate()
ADA = Operator("op-7", "Ada", frozenset({"engineer"}), 3)


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(clock):
    return TokenVerifier([KEY.verifying_key], clock=clock)


def token(key=KEY, *, typ="at+jwt", kid=None, algorithm="EdDSA", without=(), **changes):
    """A token like those issued, with claims changed or left out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "op-7",
        "iat": NOW,
        "exp": NOW + 600,
        "roles": ["engineer"],
        "clearance": 3,
        "name": "Ada",
    } | changes
    for claim in without:
        del claims[claim]
    secret = key.private if isinstance(key, SigningKey) else key
    headers = {"typ": typ, "kid": kid or KEY.verifying_key.key_id}
    return jwt.encode(claims, secret, algorithm=algorithm, headers=headers)


def test_an_issued_token_says_whose_it_is(verifier):
    assert verifier.verify(TokenIssuer(KEY).issue(ADA, 600, NOW)) == ADA


def test_no_token_is_issued_without_a_lifetime():
    with pytest.raises(InvalidInputError, match="lifetime_s"):
        TokenIssuer(KEY).issue(ADA, 0, NOW)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub"])
def test_a_token_without_a_required_claim_is_refused_by_its_name(verifier, claim):
    with pytest.raises(UnauthenticatedError, match=f"lacks the claim {claim}"):
        verifier.verify(token(without=[claim]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "elsewhere"}, "another issuer"),
        ({"aud": "elsewhere"}, "another audience"),
        ({"aud": ["elsewhere"]}, "another audience"),
        ({"aud": [AUDIENCE, 7]}, "another audience"),
        ({"aud": {AUDIENCE: True}}, "another audience"),
        ({"aud": [[AUDIENCE]]}, "another audience"),
        ({"aud": [AUDIENCE.upper()]}, "another audience"),
        ({"aud": []}, "lacks the claim aud"),
        ({"exp": NOW - 31}, "expired"),
        ({"iat": NOW + 31}, "not valid yet"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"nbf": "soon"}, "no time"),
        ({"exp": float("inf")}, "no time"),
        ({"exp": float("nan")}, "no time"),
        ({"typ": "JWT"}, "not of the type"),
        ({"kid": "0000"}, "known key"),
        ({"roles": "engineer"}, "no operator"),
        ({"roles": [1]}, "no operator"),
        ({"clearance": "high"}, "no operator"),
        ({"clearance": -1}, "no operator"),
        ({"sub": ""}, "no operator"),
    ],
)
def test_a_token_is_refused_with_its_reason(verifier, changes, reason):
    with pytest.raises(UnauthenticatedError, match=reason):
        verifier.verify(token(**changes))


@pytest.mark.parametrize("audience", [[AUDIENCE], [AUDIENCE, "else"], ["else", AUDIENCE]])
def test_a_token_may_be_meant_for_others_too(verifier, audience):
    assert verifier.verify(token(aud=audience)) == ADA


def test_clocks_may_differ_by_thirty_seconds(verifier):
    assert verifier.verify(token(exp=NOW - 29)) == ADA
    assert verifier.verify(token(iat=NOW + 29)) == ADA


def test_another_key_under_a_known_name_is_refused(verifier):
    with pytest.raises(UnauthenticatedError, match="known key"):
        verifier.verify(token(SigningKey.generate()))


def test_an_unsigned_token_is_refused(verifier):
    with pytest.raises(UnauthenticatedError, match="known key"):
        verifier.verify(token(None, algorithm="none"))


def test_the_public_key_used_as_a_shared_secret_is_refused(verifier):
    raw = KEY.verifying_key.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    with pytest.raises(UnauthenticatedError, match="known key"):
        verifier.verify(token(raw, algorithm="HS256"))


def test_a_changed_claim_breaks_the_signature(verifier):
    header, payload, signature = token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["roles"] = ["admin"]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with pytest.raises(UnauthenticatedError, match="known key"):
        verifier.verify(f"{header}.{forged}.{signature}")


@given(text=st.text(max_size=200) | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_any_other_text_is_refused(text):
    with pytest.raises(UnauthenticatedError):
        TokenVerifier([KEY.verifying_key]).verify(text)


def test_an_overlong_token_is_refused_before_it_is_read(verifier):
    with pytest.raises(UnauthenticatedError, match="too long"):
        verifier.verify("a" * 10_000)


def test_a_message_tells_nothing_of_the_token(verifier):
    text = token(exp=NOW - 100)
    with pytest.raises(UnauthenticatedError) as caught:
        verifier.verify(text)
    assert not any(part in str(caught.value) for part in text.split("."))


def test_a_remembered_token_still_expires(verifier, clock):
    text = token(exp=NOW + 5)
    verifier.verify(text)
    clock.now = NOW + 36
    with pytest.raises(UnauthenticatedError, match="expired"):
        verifier.verify(text)


@pytest.mark.alone
def test_a_remembered_token_costs_a_fraction(verifier, clock):
    text = token()

    def best_of(action):
        times = []
        for _ in range(30):
            started = time.perf_counter()
            action()
            times.append(time.perf_counter() - started)
        return min(times)

    fresh = best_of(lambda: TokenVerifier([KEY.verifying_key], clock=clock).verify(text))
    verifier.verify(text)
    assert best_of(lambda: verifier.verify(text)) < fresh / 4


def test_the_memory_of_tokens_is_bounded(clock):
    issuer, verifier = TokenIssuer(KEY), TokenVerifier([KEY.verifying_key], clock=clock)
    first = issuer.issue(ADA, 600, NOW)
    verifier.verify(first)
    for _ in range(4200):
        verifier.verify(issuer.issue(ADA, 600, NOW))
    assert len(verifier._checked) == 4096
    assert verifier.verify(first) == ADA
