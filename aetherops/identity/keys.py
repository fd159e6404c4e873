"""The Ed25519 key that signs tokens: made on first use, kept in a file only its owner reads."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from aetherops.errors import InvalidInputError

__all__ = ["SigningKey", "VerifyingKey", "load_key", "load_or_create_key"]

_FILE_NAME = "signing.pem"
_KEY_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half. ``key_id`` is the beginning of the SHA-256 of its 32 bytes, in hex."""

    public: Ed25519PublicKey

    @property
    def key_id(self) -> str:
        """Name of the key in a token's ``kid`` header."""
        raw = self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return sha256(raw).hexdigest()[:_KEY_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half; its ``repr`` shows nothing of it."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half, for those who only check."""
        return VerifyingKey(self.private.public_key())

    def to_pem(self) -> bytes:
        """PKCS #8, not encrypted: the file's mode guards it."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_or_create_key(directory: Path) -> SigningKey:
    """The key kept in a directory; the first call makes directory (0700) and key (0600).

    Of several processes that come first at once, all end with the same key.

    Raises
    ------
    InvalidInputError
        The file is no Ed25519 key, or others than its owner may read it.
    """
    path = directory / _FILE_NAME
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _create(path, SigningKey.generate().to_pem())
    return _load(path)


def load_key(directory: Path) -> SigningKey:
    """The key kept in a directory; nothing is made.

    Raises
    ------
    FileNotFoundError
        There is none.
    InvalidInputError
        As `load_or_create_key`.
    """
    return _load(directory / _FILE_NAME)


def _create(path: Path, pem: bytes) -> None:
    # Written whole under another name, then linked: nobody ever reads half a key, and of two
    # processes the second finds the name taken and uses the first one's key.
    with NamedTemporaryFile(dir=path.parent, prefix=".new-") as draft:  # mode 0600
        draft.write(pem)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            path.hardlink_to(draft.name)
        except FileExistsError:
            return


def _load(path: Path) -> SigningKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise InvalidInputError(str(path), oct(mode), "a file only its owner may read (0600)")
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        # The file's content is never shown: it may be most of a key.
        raise InvalidInputError(str(path), "another content", "a PEM private key") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InvalidInputError(str(path), type(private).__name__, "an Ed25519 key")
    return SigningKey(private)
