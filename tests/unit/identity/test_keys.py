"""The signing key: made once, kept private."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aetherops.errors import InvalidInputError
from aetherops.identity.keys import SigningKey, load_or_create_key


def test_the_first_use_makes_a_key_and_later_ones_find_it(tmp_path):
    directory = tmp_path / "keys"
    first = load_or_create_key(directory)
    again = load_or_create_key(directory)
    assert first.verifying_key.key_id == again.verifying_key.key_id
    assert len(first.verifying_key.key_id) == 16


def test_only_its_owner_may_read_it(tmp_path):
    load_or_create_key(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_many_who_come_first_at_once_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(load_or_create_key, [tmp_path / "keys"] * 64))
    assert len({key.verifying_key.key_id for key in keys}) == 1
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["signing.pem"]


def test_a_key_that_others_may_read_is_refused(tmp_path):
    load_or_create_key(tmp_path)
    (tmp_path / "signing.pem").chmod(0o644)
    with pytest.raises(InvalidInputError, match="0600"):
        load_or_create_key(tmp_path)


def write_private(path, content):
    path.touch(0o600)
    path.write_bytes(content)


def test_a_file_that_is_no_key_is_refused_without_showing_it(tmp_path):
    write_private(tmp_path / "signing.pem", b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n")
    with pytest.raises(InvalidInputError) as caught:
        load_or_create_key(tmp_path)
    assert "signing.pem" in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_key_of_another_kind_is_refused(tmp_path):
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(tmp_path / "signing.pem", pem)
    with pytest.raises(InvalidInputError, match="an Ed25519 key"):
        load_or_create_key(tmp_path)


def test_the_repr_of_a_key_shows_nothing_of_it():
    assert repr(SigningKey.generate()) == "SigningKey()"
