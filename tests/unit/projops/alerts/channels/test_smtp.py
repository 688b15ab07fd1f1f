"""Mails as a real server gets them: two parts, one thread an alert, signed in, and refusals in our words."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projops.alerts import channels
from projops.alerts.model import Channel, Message, MessageKind
from projops.errors import DeliveryError
from projops.systems.connection import Parts
from sandbox.certificate import ensure_certificate
from tests.receivers import MailServer, mail_server, webhook

CHANNEL = Channel("mail", "smtp", "smtp_default", {"to": ["ops@example.com", "Ann <ann@example.com>"]})
SECRET = "Pl4ntedM4ilPassword"
PLAIN = {"disable_ssl": True, "disable_tls": True, "from_email": "projops@example.com"}


def connection(server: MailServer, login: str | None = None, **extra: Any) -> Parts:
    return Parts(
        "smtp", "127.0.0.1", login=login, password=login and SECRET, port=server.port, extra=PLAIN | extra
    )


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def refused(message: Message, parts: Parts | None, channel: Channel = CHANNEL) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        channels.send(channel, message, parts)
    assert SECRET not in f"{raised.value} {raised.value.context}"
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value


def test_a_mail_has_a_text_and_a_page(server: MailServer, message: Message) -> None:
    channels.send(CHANNEL, message, connection(server))
    [mail] = server.mails
    assert server.receivers == [["ops@example.com", "ann@example.com"]]
    assert mail["Subject"] == "[Project Operations Sync] Critical: Customers have stopped"
    assert (mail["From"], mail["Importance"], mail["Auto-Submitted"]) == (
        "projops@example.com",
        "high",
        "auto-generated",
    )
    text, page = (mail.get_body((form,)) for form in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content().splitlines() == [
        "60 of 100 rows of customers broke a rule.",
        "",
        "- customers: 60 rows",
        f"  {message.link}",
        "- all else is in step",
        "",
        "What it means: Nothing of customers is moved.",
        "",
        "What to do: Mend the rows in Finance, then run the map again.",
        "",
        message.link,
    ]
    assert page.get_content().count(f'href="{message.link}"') == 2
    assert "<h2" in page.get_content()


def test_what_belongs_together_is_one_thread(server: MailServer, message: Message) -> None:
    over = replace(message, kind=MessageKind.RESOLVED, severity=None)
    elsewhere = replace(message, link=message.link.replace("airflow", "test"))
    for each in (message, message, over, elsewhere):
        channels.send(CHANNEL, each, connection(server))
    first, again, end, other = server.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].startswith("<projops.alert-12.opened.")
    assert end["Message-ID"] != first["Message-ID"]
    assert end["In-Reply-To"] == end["References"] == first["Message-ID"]
    assert other["Message-ID"] != first["Message-ID"]


def test_hostile_texts_are_no_headers_and_no_markup(server: MailServer, hostile: Message) -> None:
    channels.send(CHANNEL, hostile, connection(server))
    [mail] = server.mails
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1
    assert server.receivers == [["ops@example.com", "ann@example.com"]]
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()
    assert "\u202e" not in page.get_content()


@pytest.mark.parametrize(
    ("extra", "login"),
    [
        ({}, f"\0robot@example.com\0{SECRET}"),
        (
            {"auth_type": "oauth2", "access_token": SECRET},
            f"user=robot@example.com\x01auth=Bearer {SECRET}\x01\x01",
        ),
    ],
)
def test_it_signs_in(server: MailServer, message: Message, extra: dict[str, str], login: str) -> None:
    channels.send(CHANNEL, message, connection(server, "robot@example.com", **extra))
    assert server.logins == [login]
    assert len(server.mails) == 1


def test_a_token_is_fetched_for_client_credentials(server: MailServer, message: Message) -> None:
    extra = {"auth_type": "oauth2", "client_id": "c", "client_secret": SECRET, "tenant_id": "contoso.example"}
    with webhook() as identity:
        authority = identity.address.partition("/services")[0]
        parts = connection(server, "robot@example.com", **extra, authority=authority)
        error = refused(message, parts)  # it answers "ok", which is no token
    assert str(error).startswith("Channel mail: Connection smtp_default: the identity provider refuses")
    assert not error.again
    assert server.mails == []


REPLIES: list[tuple[dict[str, str], str, bool]] = [
    ({"AUTH": f"535 5.7.8 no {SECRET}"}, "refuses our sign-in (535). Check login", False),
    ({"AUTH": "454 4.7.0 later"}, "refuses our sign-in (454)", True),
    ({"MAIL": f"553 no {SECRET}"}, "refuses the mail (553). Check `from` and `to`", False),
    ({"RCPT": "450 mailbox busy"}, "refuses the mail (450)", True),
    ({"RCPT": "550 no such user"}, "refuses the mail (550)", False),
    ({".": f"554 spam {SECRET}"}, "refuses the mail (554)", False),
    ({"EHLO": "421 closing", "HELO": "421 closing"}, "does not answer well (SMTPHeloError)", True),
]


@pytest.mark.parametrize(("replies", "said", "again"), REPLIES)
def test_refusals_are_told_in_our_words(
    server: MailServer, message: Message, replies: dict[str, str], said: str, again: bool
) -> None:
    server.replies = replies
    error = refused(message, connection(server, "robot@example.com"))
    assert said in str(error)
    assert error.again is again


def test_a_server_that_ends_badly_has_taken_the_mail(server: MailServer, message: Message) -> None:
    server.replies = {"QUIT": "451 oops"}
    channels.send(CHANNEL, message, connection(server))
    assert len(server.mails) == 1


def test_nobody_listens_or_nobody_answers(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        parts = Parts("smtp", "127.0.0.1", port=mute.getsockname()[1], extra=PLAIN | {"timeout": "0.05"})
        slow = refused(message, parts)
    gone = refused(message, parts)
    assert "does not answer well (SMTPServerDisconnected)" in str(slow)
    assert "does not answer well (ConnectionRefusedError)" in str(gone)
    assert slow.again
    assert gone.again


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate that a mail server on this machine signed for itself."""
    file, key = ensure_certificate(tmp_path_factory.mktemp("mail"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


@pytest.mark.parametrize("at_once", [True, False])
def test_certificates_are_verified(
    message: Message, certificate: tuple[ssl.SSLContext, Path], at_once: bool
) -> None:
    context, file = certificate
    extra: dict[str, Any] = {"disable_ssl": str(not at_once), "disable_tls": False}
    with mail_server(context, at_once=at_once) as server:
        error = refused(message, connection(server, **extra))
        channels.send(CHANNEL, message, connection(server, "robot@example.com", **extra, ca_file=str(file)))
    assert "certificate is not trusted. Name its authority in extra ca_file" in str(error)
    assert not error.again
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda parts: replace(parts, host=None), "names no mail server"),
        (lambda _: None, "has no sender"),
        (
            lambda parts: replace(parts, host="mail.example.com", password=SECRET),
            "in the clear. Take disable_tls out",
        ),
        (
            lambda parts: replace(parts, extra=PLAIN | {"disable_ssl": False, "ssl_context": "none"}),
            "certificate, which is always done",
        ),
        (
            lambda parts: replace(parts, extra={**PLAIN, "disable_tls": False}),
            "no STARTTLS. Check disable_ssl",
        ),
        (lambda parts: replace(parts, extra=PLAIN | {"from_email": "nobody"}), "has no sender"),
    ],
)
def test_a_connection_that_cannot_be_right_is_named(
    server: MailServer, message: Message, change: Callable[[Parts], Parts | None], said: str
) -> None:
    error = refused(message, change(connection(server)))
    assert said in str(error)
    assert not error.again
    assert server.mails == []


@pytest.mark.parametrize("to", [None, [], "nobody", ["a@b.example", "x\r\nBcc: all@example.com"]])
def test_no_receiver_or_a_wrong_one_is_named(server: MailServer, message: Message, to: object) -> None:
    error = refused(message, connection(server), replace(CHANNEL, options={"to": to}))
    assert "Write it into the file of alerts: `to`, a list of addresses." in str(error)
    assert server.mails == []


def test_an_option_that_nobody_expects_is_a_message_that_was_not_sent(message: Message) -> None:
    channel = Channel("mail", "smtp", options={"to": 7, "from": "projops@example.com"})
    with pytest.raises(DeliveryError, match=r"Channel mail cannot be used \(TypeError\)") as caught:
        channels.send(channel, message, None)
    assert caught.value.again
