"""Encryption of contacts and payer accounts: AEAD with a key from outside the database, and a blind index."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Seals small texts with AES-256-GCM and makes blind indexes with HMAC-SHA256.

    The master key (32 bytes) never enters the database. ``context`` (table and column) is authenticated,
    so a sealed phone number cannot be moved elsewhere. A blind index finds equal values
    without opening them; it is made from the exact text, so normalise before.
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != _KEY_BYTES:
            raise ValueError("the master key must have 32 bytes")
        self._seal = AESGCM(_derive(master_key, b"hocphi seal 1"))
        self._blind = _derive(master_key, b"hocphi blind 1")

    def seal(self, text: str, context: str) -> bytes:
        """Encrypt; the answer is a 12-byte nonce, then ciphertext with its 16-byte tag."""
        return self.seal_bytes(text.encode(), context)

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        """Encrypt raw bytes, for example a stored callback."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, data, context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Decrypt; raises ``cryptography.exceptions.InvalidTag`` if touched or from another context."""
        return self.open_bytes(sealed, context).decode()

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """Decrypt raw bytes."""
        return self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())

    def blind(self, text: str, context: str) -> bytes:
        """Return the 32-byte blind index of a text."""
        return hmac.new(self._blind, f"{context}\0{text}".encode(), hashlib.sha256).digest()


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(master_key)
