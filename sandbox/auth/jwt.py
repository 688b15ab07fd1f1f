"""JSON web tokens: signed with a key of our own, and read where a client signed one with its certificate."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_PADDINGS: Mapping[str, padding.AsymmetricPadding] = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
}


class BrokenTokenError(ValueError):
    """A token that cannot be read, or whose signature is another's."""


class SigningKey:
    """The key with which the authority signs, made anew with each start."""

    def __init__(self) -> None:
        """Make an RSA key."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        self._n, self._e = _of_number(numbers.n), _of_number(numbers.e)
        self.key_id = self._n[:27]

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token with these claims."""
        head = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}
        text = f"{_of_json(head)}.{_of_json(claims)}"
        return f"{text}.{_encoded(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def public(self) -> dict[str, str]:
        """Return the public half, as a JWKS document has it."""
        shown = {"kty": "RSA", "use": "sig", "kid": self.key_id, "x5t": self.key_id}
        return shown | {"n": self._n, "e": self._e}


def read_signed(token: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """Return the claims of a token that the owner of `key` signed (RS256 or PS256).

    Raises:
        BrokenTokenError: It is no such token.
    """
    try:
        head, claims, signature = token.split(".")
        scheme = _PADDINGS[json.loads(_decoded(head))["alg"]]
        key.verify(_decoded(signature), f"{head}.{claims}".encode(), scheme, hashes.SHA256())
        read = json.loads(_decoded(claims))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidSignature) as broken:
        raise BrokenTokenError("The token cannot be read, or somebody else signed it.") from broken
    if not isinstance(read, dict):
        raise BrokenTokenError("The token has no claims.")
    return read


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as broken:
        raise ValueError("no base64") from broken


def _of_json(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _of_number(number: int) -> str:
    return _encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))
