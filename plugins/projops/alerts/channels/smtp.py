"""Mail: Airflow's connection type `smtp`, a text and an HTML part, opened and resolved in one thread."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from urllib.parse import urlsplit

from projops.alerts.channels.mail_server import extra_of, session
from projops.alerts.model import Channel, Message, MessageKind, Severity
from projops.alerts.texts import plain, told
from projops.errors import DeliveryError
from projops.pages import environment
from projops.systems.connection import Parts


def send(channel: Channel, message: Message, connection: Parts | None) -> None:
    """Send a message as a mail to all addresses of the channel's `to`.

    Raises:
        DeliveryError: The server did not take it for any of them, or there is no sender or receiver.
    """
    mail = mail_of(channel, message, sender_of(channel, connection))
    with session(channel, connection) as server:
        server.send_message(mail)


def sender_of(channel: Channel, connection: Parts | None) -> str:
    """Give the sender: the channel's `from`, else the connection's `from_email`, else its login.

    Raises:
        DeliveryError: None of them is an address.
    """
    named = (
        channel.options.get("from"),
        extra_of(connection).get("from_email"),
        connection and connection.login,
    )
    found = next((str(each) for each in named if each and _is_address(str(each))), None)
    if found is None:
        raise _incomplete(channel, "no sender", "`from`, or from_email in the extra of its connection")
    return found


def mail_of(channel: Channel, message: Message, sender: str) -> EmailMessage:
    """Write a message as a mail.

    The mail of an alert's end answers that of its beginning, so that mail programs show them as one thread;
    one that is sent again bears the same Message-ID.
    """
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(_receivers(channel))
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = _message_id(message, message.kind, sender)
    if message.kind is MessageKind.RESOLVED:
        first = _message_id(message, MessageKind.OPENED, sender)
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.severity is Severity.CRITICAL:
        mail["Importance"] = "high"
    mail.set_content(plain(message))
    page = environment("projops.alerts", "templates").get_template("mail.html.j2")
    mail.add_alternative(page.render(message=message, told=told(message)), subtype="html")
    return mail


def _receivers(channel: Channel) -> Sequence[str]:
    to = channel.options.get("to") or ()
    addresses = [to] if isinstance(to, str) else [str(each) for each in to]
    wrong = [each for each in addresses if not _is_address(each)]
    if wrong or not addresses:
        raise _incomplete(
            channel, f"no address {wrong[0]}" if wrong else "no receiver", "`to`, a list of addresses"
        )
    return addresses


def _is_address(text: str) -> bool:
    try:
        found = Address(addr_spec=parseaddr(text)[1])
    except (ValueError, IndexError):
        return False
    return bool(found.username and found.domain) and text.isprintable()


def _message_id(message: Message, kind: MessageKind, sender: str) -> str:
    domain = parseaddr(sender)[1].rpartition("@")[2]
    # Two installations that send as one, such as test and production, do not share a thread.
    place = sha256(urlsplit(message.link).netloc.encode()).hexdigest()[:8]
    once = "" if kind is not MessageKind.TEST else f".{datetime.now(UTC).timestamp()}"
    return f"<projops.{message.reference}.{kind.value}.{place}{once}@{domain}>"


def _incomplete(channel: Channel, lacks: str, where: str) -> DeliveryError:
    return DeliveryError(
        f"Channel {channel.name} has {lacks}.",
        again=False,
        remedy=f"Write it into the file of alerts: {where}.",
        channel=channel.name,
    )
