"""Bearer tokens: who gets one, what it says, and how long it is good."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

from sandbox.auth.jwt import SigningKey
from sandbox.clock import Clock

LIFETIME_SECONDS = 3599
_NAMESPACE = uuid.UUID("0b6a4f0e-3f0b-5c0c-9a0e-6f6f7f6b1d55")


class CertificateError(ValueError):
    """A certificate file that cannot be used."""


@dataclass(frozen=True)
class Credentials:
    """The one application that may ask for tokens, and tokens that are always accepted.

    Attributes:
        client_id: The application.
        client_secret: Its secret.
        static_tokens: Tokens that need no asking for.
        certificate: PEM file of its certificate, for clients that sign an assertion instead; None for none.
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    static_tokens: tuple[str, ...] = ("sandbox-token", "mock-token-for-localhost")
    certificate: Path | None = None

    def public_key(self) -> rsa.RSAPublicKey | None:
        """Return the key of the application's certificate, None where it has none.

        Raises:
            CertificateError: The file holds no certificate with an RSA key.
        """
        if self.certificate is None:
            return None
        try:
            key = load_pem_x509_certificate(self.certificate.read_bytes()).public_key()
        except (OSError, ValueError) as broken:
            raise CertificateError(
                f"The certificate {self.certificate} cannot be read ({broken}): name a PEM file."
            ) from broken
        if not isinstance(key, rsa.RSAPublicKey):
            raise CertificateError(f"The certificate {self.certificate} has no RSA key: name another.")
        return key


@dataclass(frozen=True, slots=True)
class _Issued:
    """What is known of a token: until when it is good, and for which port of this machine, if for one."""

    until: datetime
    port: int | None


class TokenDesk:
    """Issues bearer tokens and knows which are still good, by the sandbox's clock."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        """Accept `credentials`; tokens live 3,599 seconds of `clock`.

        Raises:
            CertificateError: The application's certificate cannot be used.
        """
        self.key = SigningKey()
        self.application_key = credentials.public_key()
        self._credentials = credentials
        self._clock = clock
        self._lock = Lock()
        self._issued: dict[str, _Issued] = {}

    @property
    def now(self) -> datetime:
        """The present, aware, UTC."""
        return self._clock.now()

    def issue(self, audience: str, authority: str, version: str) -> str:
        """Return a new token for a resource.

        Args:
            audience: The resource: the base URL of a system, or whatever the client asked for.
            authority: Address of the tenant that issues it.
            version: "1.0" or "2.0".
        """
        now = self.now
        token = self.key.sign(self._claims(audience, authority, version, now))
        with self._lock:
            self._issued = {known: it for known, it in self._issued.items() if it.until > now}
            self._issued[token] = _Issued(now + timedelta(seconds=LIFETIME_SECONDS), _port(audience))
        return token

    def owner(self, token: str, foreign: frozenset[int] = frozenset()) -> str | None:
        """Return who is behind a token: the application, or the place of a static token in their list.

        Args:
            token: As it was sent.
            foreign: Ports of the other system, whose tokens are not good here.

        Returns:
            None where the token is neither a static one nor one that was issued for here and has not expired.
        """
        for number, known in enumerate(self._credentials.static_tokens, start=1):
            if secrets.compare_digest(token.encode(), known.encode()):
                return f"static token {number}"
        issued = self._issued.get(token)
        good = issued is not None and issued.until > self.now and issued.port not in foreign
        return self._credentials.client_id if good else None

    def revoke(self, token: str) -> None:
        """Take an issued token back; static ones stay good."""
        with self._lock:
            self._issued.pop(token, None)

    def knows_client(self, client_id: str) -> bool:
        """Say whether this is the application."""
        return secrets.compare_digest(client_id.encode(), self._credentials.client_id.encode())

    def knows_secret(self, client_secret: str) -> bool:
        """Say whether this is the application's secret."""
        return secrets.compare_digest(client_secret.encode(), self._credentials.client_secret.encode())

    def _claims(self, audience: str, authority: str, version: str, now: datetime) -> dict[str, str | int]:
        began, tenant = int(now.timestamp()), authority.rpartition("/")[2]
        application = self._credentials.client_id
        old = version == "1.0"
        return {
            "aud": audience,
            "iss": f"{authority}/" if old else f"{authority}/v2.0",
            "iat": began,
            "nbf": began,
            "exp": began + LIFETIME_SECONDS,
            "appid" if old else "azp": application,
            "appidacr" if old else "azpacr": "1",
            "idtyp": "app",
            "oid": str(uuid.uuid5(_NAMESPACE, application)),
            "sub": str(uuid.uuid5(_NAMESPACE, application)),
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": version,
        }


def _port(audience: str) -> int | None:
    """Return the port that a resource's address names; the real systems' names have none."""
    try:
        return urlsplit(audience).port
    except ValueError:
        return None
