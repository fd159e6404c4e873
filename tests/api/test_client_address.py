"""Whose request it is, where proxies that are trusted, or not, stand in between."""

from ipaddress import ip_network

import httpx
import pytest

from aetherops.api.admission import Admission, Gate
from aetherops.api.application import create_application
from aetherops.api.http.client_address import ClientAddress
from aetherops.api.metrics.registry import Metrics
from aetherops.ratelimit import BucketLimit, Rate, TokenBucket
from aetherops.ratelimit.ports import LocalAsAsync
from aetherops.runtime.settings import Settings

PROXIES = tuple(ip_network(text) for text in ("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"))
LISTED, FORWARDED = "x-forwarded-for", "forwarded"


async def client_of(peer, *fields, header=LISTED, proxies=PROXIES, sent=None):
    """The address that the application sees."""
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["client"][0])

    name = (sent or header).encode()
    headers = [(name, value.encode("latin-1")) for value in fields]
    scope = {"type": "http", "client": (peer, 4711), "headers": headers}
    await ClientAddress(application, proxies, header)(scope, None, None)
    return seen[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "192.0.2.1", "::1"])
async def test_without_a_trusted_proxy_nobody_is_believed(peer):
    assert await client_of(peer, "198.51.100.7", proxies=()) == peer


@pytest.mark.parametrize(
    ("peer", "fields", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy: its word counts for nothing
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first is invented
        ("127.0.0.1", ["203.0.113.9, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9", "198.51.100.7", "10.9.9.9"], "198.51.100.7"),
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], "10.0.0.1"),  # a client among the proxies
        ("127.0.0.1", ["198.51.100.7:50123"], "198.51.100.7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("2001:db8:1::5", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.1.1.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7, junk"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7, unknown, 10.0.0.2"], "10.0.0.2"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [",,\xff,"], "127.0.0.1"),
    ],
)
async def test_the_client_is_the_last_address_that_is_no_trusted_proxy(peer, fields, client):
    assert await client_of(peer, *fields) == client


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        (["for=198.51.100.7"], "198.51.100.7"),
        (["for=203.0.113.9, for=198.51.100.7;proto=https;by=10.0.0.1"], "198.51.100.7"),
        (["For=203.0.113.9", 'host=x; FOR="198.51.100.7:80", for=10.0.0.2'], "198.51.100.7"),
        (['for="[2001:db8::7]:4711"'], "2001:db8::7"),
        (["for=_hidden"], "127.0.0.1"),
        (["proto=https"], "127.0.0.1"),
        (["for=203.0.113.9;for=198.51.100.7"], "127.0.0.1"),
    ],
)
async def test_a_forwarded_header_is_read_the_same_way(fields, client):
    assert await client_of("127.0.0.1", *fields, header=FORWARDED) == client


@pytest.mark.parametrize(
    ("header", "sent", "value"),
    [(LISTED, FORWARDED, "for=198.51.100.7"), (FORWARDED, LISTED, "198.51.100.7")],
)
async def test_a_header_that_the_proxies_do_not_set_is_the_clients_word(header, sent, value):
    assert await client_of("127.0.0.1", value, header=header, sent=sent) == "127.0.0.1"


async def test_the_limit_of_an_address_is_that_of_the_client_and_not_of_its_proxy(platform):
    limit = BucketLimit(1, Rate.of(1))
    limiter = LocalAsAsync(TokenBucket(1, 1, clock_ns=lambda: 0))
    metrics = Metrics()
    services = platform.services(
        settings=Settings(trusted_proxies="10.0.0.1"),
        admission=Admission(addresses=Gate("address", limiter, [limit], metrics)),
        metrics=metrics,
    )
    transport = httpx.ASGITransport(create_application(services), client=("10.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        statuses = [
            (await client.get("/graphql?query=x", headers={LISTED: address})).status_code
            for address in ("192.0.2.1", "192.0.2.2", "203.0.113.1, 192.0.2.1")
        ]
    assert statuses == [401, 401, 429]
