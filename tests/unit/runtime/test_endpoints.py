import pytest

from aetherops.connections.endpoints import Endpoints, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ops:hunter2@db:5432/x", "postgresql://***@db:5432/x"),
        ("postgresql://ops:p@ss/word@db/x", "postgresql://***@db/x"),
        (
            "postgresql://db/x?user=ops&password=hunter2&a=1",
            "postgresql://db/x?user=ops&password=***&a=1",
        ),
        ("nats://s3cret@127.0.0.1:4222", "nats://***@127.0.0.1:4222"),
        ("unix://:s3cret@/tmp/valkey.sock", "unix://***@/tmp/valkey.sock"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
    ],
)
def test_credentials_are_hidden_and_the_address_stays(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_the_repr_of_endpoints_shows_no_credential() -> None:
    endpoints = Endpoints("postgresql://u:one@h/d", "redis://:two@h", "nats://three@h:4222")

    assert repr(endpoints) == (
        "Endpoints(postgres_dsn='postgresql://***@h/d', redis_url='redis://***@h', "
        "nats_url='nats://***@h:4222')"
    )
