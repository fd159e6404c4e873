"""An identity provider's keys: which are trusted, for how long, and what their tokens may say."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from aetherops.errors import InvalidInputError, UnauthenticatedError, UnavailableError
from aetherops.identity.keys import SigningKey
from aetherops.identity.provider_keys import Provider, ProviderKeys
from aetherops.identity.tokens import TokenVerifier

ISSUER, AUDIENCE = "https://login.example", "aetherops-api"
MAX_AGE_S = 600.0
PRIVATE = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def published(private, **changes) -> dict:
    """The entry of a key set that goes with a private key."""
    algorithms = {
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        rsa.RSAPrivateKey: RSAAlgorithm,
    }
    [algorithm] = [known for kind, known in algorithms.items() if isinstance(private, kind)]
    return algorithm.to_jwk(private.public_key(), as_dict=True) | {"use": "sig"} | changes


def key_set(*entries) -> bytes:
    return json.dumps({"keys": entries}).encode()


def token(private, algorithm, kid, **changes) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 60} | changes
    return jwt.encode(claims, private, algorithm, headers={"typ": "at+jwt", "kid": kid})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(clock):
    keys = ProviderKeys(MAX_AGE_S, clock)
    keys.replace(key_set(*(published(key, kid=name) for name, key in PRIVATE.items())))
    return keys


@pytest.fixture
def verifier(keys):
    own = SigningKey.generate().verifying_key
    return TokenVerifier([own], provider=Provider(keys, ISSUER, AUDIENCE))


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_token_signed_by_a_published_key_says_whose_it_is(verifier, algorithm):
    signed = token(PRIVATE[algorithm], algorithm, algorithm, roles=["viewer"], name="Ada")
    operator = verifier.verify(signed)
    assert (operator.operator_id, operator.name, operator.roles) == ("ada", "Ada", {"viewer"})


def test_a_key_verifies_its_own_algorithm_only(verifier):
    forged = token(PRIVATE["EdDSA"], "EdDSA", "RS256")
    with pytest.raises(UnauthenticatedError, match="known key"):
        verifier.verify(forged)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [({"iss": "aetherops"}, "another issuer"), ({"aud": "other"}, "another audience")],
)
def test_a_providers_token_must_state_the_providers_issuer_and_our_audience(
    verifier, claims, reason
):
    with pytest.raises(UnauthenticatedError, match=reason):
        verifier.verify(token(PRIVATE["ES256"], "ES256", "ES256", **claims))


def test_keys_that_could_be_forged_with_or_are_not_for_signing_are_passed_over(clock):
    keys = ProviderKeys(MAX_AGE_S, clock)
    count = keys.replace(
        key_set(
            published(PRIVATE["EdDSA"], kid="good"),
            published(PRIVATE["RS256"], kid="encrypts", use="enc"),
            published(rsa.generate_private_key(65537, 1024), kid="short"),
            published(ec.generate_private_key(ec.SECP384R1()), kid="other curve"),
            published(PRIVATE["RS256"], kid="other algorithm", alg="PS256"),
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared secret"},
        )
    )
    assert count == 1
    assert keys.find("good").algorithm_name == "EdDSA"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": 3}',
        b'{"keys": [1]}',
        b"[" * 100_000,
        key_set(),
        key_set({"kty": "RSA", "kid": "a", "n": "?", "e": "AQAB"}),
    ],
)
def test_what_is_no_key_set_is_refused_and_the_keys_before_it_are_kept(keys, document):
    with pytest.raises(InvalidInputError, match="key set"):
        keys.replace(document)
    assert keys.find("RS256").algorithm_name == "RS256"


def test_a_key_that_is_no_longer_published_is_trusted_no_more(keys):
    keys.replace(key_set(published(PRIVATE["ES256"], kid="ES256")))
    with pytest.raises(UnauthenticatedError):
        keys.find("RS256")


def test_before_the_first_reading_tokens_can_be_neither_accepted_nor_refused(clock):
    keys = ProviderKeys(MAX_AGE_S, clock)
    with pytest.raises(UnavailableError, match="jwks"):
        keys.find("RS256")


def test_an_unknown_key_may_be_new_unless_the_set_was_just_read(keys, clock):
    wanted = []
    keys.on_wanted = lambda: wanted.append(1)
    with pytest.raises(UnauthenticatedError):
        keys.find("new")
    assert not wanted
    clock.now += 11
    with pytest.raises(UnavailableError):
        keys.find("new")
    assert wanted == [1]


def test_keys_that_cannot_be_read_again_are_trusted_for_a_time_and_no_longer(keys, clock):
    clock.now += MAX_AGE_S - 1
    assert keys.find("RS256").algorithm_name == "RS256"
    clock.now += 1
    with pytest.raises(UnavailableError):
        keys.find("RS256")
