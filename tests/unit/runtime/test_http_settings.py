"""Settings are read from the environment, and each that bounds a connection is documented."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from aetherops.runtime.settings import HttpSettings, Settings

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


def test_proxies_are_networks_with_commas(monkeypatch):
    monkeypatch.setenv("AETHEROPS_TRUSTED_PROXIES", "10.0.0.0/8, ::1,")
    assert Settings().trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "*", "10.0.0.0/8 ::1"])
def test_what_is_no_network_is_told_with_what_would_be(monkeypatch, text):
    monkeypatch.setenv("AETHEROPS_TRUSTED_PROXIES", text)
    with pytest.raises(ValidationError, match=r"networks with commas, as in 10\.0\.0\.0/8"):
        Settings()


def test_no_proxy_is_trusted_by_default():
    assert Settings().trusted_proxies == ()


@pytest.mark.parametrize(
    "name",
    [f"HTTP__{field.upper()}" for field in HttpSettings.model_fields]
    + ["TRUSTED_PROXIES", "PROXY_HEADER"],
)
def test_every_bound_of_a_connection_is_documented(name):
    assert f"`AETHEROPS_{name}`" in PAGE
