"""A session with a mail server, as Airflow's connection type `smtp` describes it.

`disable_ssl` in its extra means STARTTLS instead of TLS from the first byte, `disable_tls` with it neither.
With `auth_type` `oauth2` it signs in by a token (XOAUTH2, which Exchange Online asks for): `access_token`, or
one for `client_id`, `client_secret` and `tenant_id`.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from projops.alerts.model import Channel
from projops.errors import AuthenticationError, DeliveryError, ProjOpsError
from projops.systems.auth import ClientCredentials
from projops.systems.connection import DEFAULT_AUTHORITY, Parts, is_loopback

_TIMEOUT = 15.0
_EXCHANGE = "https://outlook.office365.com"  # what a token for Exchange Online's SMTP is for [D]
_TLS_PORT, _SUBMISSION_PORT, _PLAIN_PORT = 465, 587, 25


@dataclass(frozen=True, slots=True)
class _MailCredential:
    """Client credentials for a mailbox."""

    name: str
    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    authority: str = DEFAULT_AUTHORITY
    base_url: str = _EXCHANGE


def extra_of(connection: Parts | None) -> Mapping[str, Any]:
    """Give the extra fields of a connection; none where there is no connection."""
    return connection.extra if connection else {}


@contextmanager
def session(channel: Channel, connection: Parts | None) -> Iterator[smtplib.SMTP]:
    """Open a session, signed in where the connection says as whom.

    Raises:
        DeliveryError: The server cannot be reached, refuses us, or refuses what is sent within the block.
    """
    if connection is None or not connection.host:
        raise _failed(channel, "its connection names no mail server", "Fill in the host.", again=False)
    try:
        with closing(_opened(channel, connection)) as server:
            _encrypt(channel, connection, server)
            _sign_in(channel, connection, server)
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # courtesy: what was sent is taken, whatever it answers
    except (smtplib.SMTPException, OSError) as problem:
        raise _translated(channel, problem) from None


def _opened(channel: Channel, connection: Parts) -> smtplib.SMTP:
    """Open the session; a password goes through TLS only, but on this machine."""
    extra, host = connection.extra, connection.host or ""
    timeout = float(extra.get("timeout") or _TIMEOUT)
    if not _is_on(extra, "disable_ssl"):
        port = connection.port or _TLS_PORT
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=_trusted(channel, extra))
    if not _is_on(extra, "disable_tls"):
        return smtplib.SMTP(host, connection.port or _SUBMISSION_PORT, timeout=timeout)
    if not is_loopback(host) and (connection.password or "auth_type" in extra):
        raise _failed(
            channel, f"would send its password to {host} in the clear", "Take disable_tls out.", again=False
        )
    return smtplib.SMTP(host, connection.port or _PLAIN_PORT, timeout=timeout)


def _encrypt(channel: Channel, connection: Parts, server: smtplib.SMTP) -> None:
    extra = connection.extra
    if _is_on(extra, "disable_ssl") and not _is_on(extra, "disable_tls"):
        server.starttls(context=_trusted(channel, extra))


def _trusted(channel: Channel, extra: Mapping[str, Any]) -> ssl.SSLContext:
    if extra.get("ssl_context", "default") != "default":
        raise _failed(
            channel,
            "is not to verify the mail server's certificate, which is always done",
            "Take ssl_context out; name a further authority in extra ca_file.",
            again=False,
        )
    context = ssl.create_default_context()
    if extra.get("ca_file"):
        context.load_verify_locations(str(extra["ca_file"]))
    return context


def _sign_in(channel: Channel, connection: Parts, server: smtplib.SMTP) -> None:
    if connection.extra.get("auth_type") == "oauth2":
        server.ehlo_or_helo_if_needed()
        server.auth("XOAUTH2", _bearer(connection.login or "", _token(channel, connection)))
    elif connection.login and connection.password:
        server.login(connection.login, connection.password)


def _bearer(user: str, token: str) -> Any:
    """Answer the server: first who we are; a challenge means a refusal, and is answered by nothing."""

    def answer(challenge: bytes | None = None) -> str:
        return "" if challenge else f"user={user}\x01auth=Bearer {token}\x01\x01"

    return answer


def _token(channel: Channel, connection: Parts) -> str:
    extra = connection.extra
    if extra.get("access_token"):
        return str(extra["access_token"])
    credential = _MailCredential(
        channel.connection,
        str(extra.get("tenant_id") or ""),
        str(extra.get("client_id") or ""),
        str(extra.get("client_secret") or ""),
        str(extra.get("authority") or DEFAULT_AUTHORITY),
    )
    try:
        return asyncio.run(_fetched(credential))
    except ProjOpsError as problem:
        again = not isinstance(problem, AuthenticationError)
        raise DeliveryError(
            f"Channel {channel.name}: {problem.message}",
            again=again,
            remedy=problem.remedy,
            channel=channel.name,
        ) from None


async def _fetched(credential: _MailCredential) -> str:
    import aiohttp

    async with aiohttp.ClientSession(trust_env=True) as http:
        return await ClientCredentials(credential).token(http)


_REFUSALS: Sequence[tuple[tuple[type[Exception], ...], str, str]] = (
    (
        (smtplib.SMTPAuthenticationError,),
        "the mail server refuses our sign-in ({code})",
        "Check login, password and auth_type of its connection.",
    ),
    (
        (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError),
        "the mail server refuses the mail ({code})",
        "Check `from` and `to`: may this login send so?",
    ),
    (
        (ssl.SSLCertVerificationError,),
        "the mail server's certificate is not trusted",
        "Name its authority in extra ca_file of the connection.",
    ),
    (
        (smtplib.SMTPNotSupportedError,),
        "the mail server offers no such sign-in, or no STARTTLS",
        "Check disable_ssl, disable_tls and auth_type of its connection.",
    ),
)


def _translated(channel: Channel, problem: Exception) -> DeliveryError:
    """Say what went wrong, without the server's words, which may repeat what we sent."""
    code = _code(problem)
    for kinds, sentence, remedy in _REFUSALS:
        if isinstance(problem, kinds):
            return _failed(channel, sentence.format(code=code), remedy, again=400 <= code < 500)
    return _failed(
        channel,
        f"the mail server does not answer well ({type(problem).__name__})",
        "Tried again by itself; check host, port and disable_ssl of its connection.",
        again=True,
    )


def _code(problem: Exception) -> int:
    """Give the server's code; of several receivers the lowest, for one that may work later is worth a try."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return min(code for code, _ in problem.recipients.values())
    return int(getattr(problem, "smtp_code", 0))


def _is_on(extra: Mapping[str, Any], name: str) -> bool:
    """Read a switch of a connection's extra, which comes as text from a URI."""
    return str(extra.get(name, False)).lower() in ("true", "1")


def _failed(channel: Channel, problem: str, remedy: str, *, again: bool) -> DeliveryError:
    return DeliveryError(
        f"Channel {channel.name}: {problem}.", again=again, remedy=remedy, channel=channel.name
    )
