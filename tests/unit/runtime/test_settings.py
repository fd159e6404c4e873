"""Settings from the environment: what cannot be is told by its variable, in words of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aetherops.errors import InvalidInputError
from aetherops.runtime.settings import Settings
from aetherops.runtime.settings_reading import mistyped_variables, read_settings

WHOLE, NUMBER, SWITCH = "a whole number", "a number", "true or false"
GROUP = "a JSON object of settings"

REFUSED = [
    ("PORT", "", "a value, or no such variable at all"),
    ("PORT", "eighty", WHOLE),
    ("PORT", "80.5", WHOLE),
    ("PORT", "9" * 5_000, WHOLE),
    ("PORT", "65536", "65,535 or less"),
    ("PORT", "-1", "0 or more"),
    ("LIMITS__REPLICAS", "abc", WHOLE),
    ("LIMITS__REPLICAS", "0", "1 or more"),
    ("LIMITS__ADAPT", "perhaps", SWITCH),
    ("LIMITS__WITHOUT_REDIS", "panic", "'local', 'fail_open' or 'fail_closed'"),
    ("LIMITS__QUERY_BURST", str(10**18), "at most 5764607523034234 at this rate"),
    ("LIMITS__QUERY_COST_PER_S", str(10**30), "a whole number from 1 to 2^60"),
    ("LIMITS__REPLICA", "2", "a setting that exists, such as AETHEROPS_LIMITS__REPLICAS"),
    ("LIMITS", "many", GROUP),
    ("LIMITS", "[1]", GROUP),
    ("CONNECT_TIMEOUT_S", "soon", NUMBER),
    ("CONNECT_TIMEOUT_S", "0", "more than 0"),
    ("CONNECT_TIMEOUT_S", "nan", "a finite number"),
    ("DRAIN_TIMEOUT_S", "inf", "a finite number"),
    ("INGEST_BACKLOG_BYTES", "9" * 24, "4,611,686,018,427,387,904 or less"),
    ("HOST", "", "a value, or no such variable at all"),
    ("DATA_DIR", "", "a value, or no such variable at all"),
    ("JWKS_REFRESH_S", "1", "10 or more"),
    ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
    ("RATE_LIMITS", "on", "'enforce', 'watch' or 'off'"),
    ("TOKEN_AUDIENCE", "", "a value, or no such variable at all"),
    ("PORT", "\udcff", "a text in UTF-8"),
    ("REDIS_BREAKER__RESET_TIMEOUT_S", "inf", "a finite number"),
    ("REDIS_BREAKER__PROBE_COUNT", str(2**40), "an integer from 1 to 2,147,483,648"),
]


@pytest.mark.parametrize(("name", "value", "expected"), REFUSED)
def test_a_value_that_cannot_be_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"AETHEROPS_{name}", value)
    with pytest.raises(InvalidInputError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"AETHEROPS_{name}: expected {expected}, got ")


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ('{"replicas": null}', "REPLICAS", WHOLE),
        ('{"replicas": 1.5}', "REPLICAS", WHOLE),
        ('{"adapt": []}', "ADAPT", SWITCH),
    ],
)
def test_a_value_inside_a_groups_json_is_told_by_the_variable_of_its_own(
    monkeypatch: pytest.MonkeyPatch, value: str, name: str, expected: str
) -> None:
    monkeypatch.setenv("AETHEROPS_LIMITS", value)
    with pytest.raises(InvalidInputError, match=rf"^AETHEROPS_LIMITS__{name}: expected {expected}"):
        read_settings()


def every_variable() -> list[str]:
    """Names of all settings and groups, and of all settings in groups."""
    names = []
    for name, field in Settings.model_fields.items():
        names.append(name)
        group = getattr(field.annotation, "model_fields", {})
        names += [f"{name}__{inner}" for inner in group]
    return [f"AETHEROPS_{name.upper()}" for name in names]


NASTY = ["", "x", "-1", "1e400", "1.5", "nan", "[]", "{}", "null", '{"x": 1}', "\udcff"]


def refusal_of(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> str:
    """What is said against a value, ``""`` where it is taken."""
    monkeypatch.setenv(variable, value)
    try:
        read_settings(**{} if "ISSUER" in variable else {"token_issuer": "https://login.example"})
    except InvalidInputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("variable", every_variable())
def test_the_librarys_own_sentences_reach_nobody(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    refusals = [said for value in NASTY if (said := refusal_of(monkeypatch, variable, value))]
    assert all(said.startswith(f"{variable}") for said in refusals)
    assert not re.search(r"Input|should|unable|Value error|valid ", " ".join(refusals))


def test_a_group_in_json_and_a_variable_of_it_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHEROPS_LIMITS", '{"replicas": 2, "adapt": false}')
    monkeypatch.setenv("AETHEROPS_LIMITS__REPLICAS", "3")
    limits = read_settings().limits
    assert (limits.replicas, limits.adapt) == (3, False)


def test_one_variable_of_a_group_leaves_the_others_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = read_settings().redis_breaker
    monkeypatch.setenv("AETHEROPS_REDIS_BREAKER__PROBE_COUNT", "2")
    assert read_settings().redis_breaker == before.model_copy(update={"probe_count": 2})


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHEROPS_PORT", "1")
    monkeypatch.setenv("AETHEROPS_HOST", "::1")
    settings = read_settings(port=2)
    assert (settings.port, settings.host) == (2, "::1")


def test_a_key_set_needs_an_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHEROPS_JWKS_URL", "https://login.example/keys")
    with pytest.raises(InvalidInputError, match=r"^AETHEROPS_TOKEN_ISSUER: expected the issuer"):
        read_settings()


def test_an_address_that_may_hold_a_password_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_settings(postgres_dsn=["postgresql://ada:hunter2@db/x"])
    assert str(caught.value) == "AETHEROPS_POSTGRES_DSN: expected a text, got '***'"
    monkeypatch.setenv("AETHEROPS_LOG_LEVEL", "postgresql://ada:hunter2@db/x")
    with pytest.raises(InvalidInputError) as caught:
        read_settings()
    assert "hunter2" not in str(caught.value)


def test_a_home_in_the_data_directory_is_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("AETHEROPS_DATA_DIR", "~/telemetry")
    assert read_settings().data_dir == Path("/home/ada/telemetry")
    monkeypatch.setenv("AETHEROPS_DATA_DIR", "~nobody-of-this-name/telemetry")
    with pytest.raises(InvalidInputError, match=r"^AETHEROPS_DATA_DIR: .*user that exists"):
        read_settings()


def test_a_variable_that_is_nearly_a_setting_is_told_and_others_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PRT", "DISK_RESERVE_BYTE", "LIMIT__REPLICAS", "KERNELS", "TOKEN", "PORT", "OURS"):
        monkeypatch.setenv(f"AETHEROPS_{name}", "1")
    monkeypatch.setenv("OTHER_PRT", "1")
    assert mistyped_variables() == {
        "AETHEROPS_PRT": "AETHEROPS_PORT",
        "AETHEROPS_DISK_RESERVE_BYTE": "AETHEROPS_DISK_RESERVE_BYTES",
        "AETHEROPS_LIMIT__REPLICAS": "AETHEROPS_LIMITS",
    }
