"""Slack: an incoming webhook that takes blocks (Slack's Block Kit)."""

from typing import Any

from projops.alerts.channels.webhook import address_of, post
from projops.alerts.model import Channel, Line, Message, MessageKind, Severity
from projops.alerts.texts import told
from projops.systems.connection import Parts

_LINES_A_BLOCK = 5  # a block's text holds 3000 characters, a message 50 blocks
_SIGNS = {Severity.CRITICAL: ":red_circle:", Severity.WARNING: ":large_orange_circle:"}


def send(channel: Channel, message: Message, connection: Parts | None) -> None:
    """Send a message to a Slack channel.

    Raises:
        DeliveryError: It did not arrive.
    """
    post(channel, address_of(channel, connection), body(message))


def body(message: Message) -> dict[str, Any]:
    """Write a message as Slack takes it: `text` for notifications, `blocks` for the channel.

    Texts stand in `mrkdwn`, escaped as Slack asks (`&`, `<`, `>`), so that none of them can mention anybody
    or lead anywhere; `verbatim` keeps Slack from making links of names by itself.
    """
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject, "emoji": False}},
        _section(f"{_sign(message)} {escaped(message.happened)}"),
        *(_section(each) for each in _grouped(message.lines)),
        *(_section(f"*{title}*\n{escaped(text)}") for title, text in told(message)),
    ]
    if message.link:
        blocks.append(_button(message.link))
    return {"text": escaped(message.subject), "blocks": blocks}


def escaped(text: str) -> str:
    """Escape what has a meaning in Slack's texts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sign(message: Message) -> str:
    if message.kind is MessageKind.RESOLVED:
        return ":white_check_mark:"
    return _SIGNS[message.severity] if message.severity else ":information_source:"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _grouped(lines: tuple[Line, ...]) -> list[str]:
    written = [f"• {_linked(each)}" for each in lines]
    return ["\n".join(written[at : at + _LINES_A_BLOCK]) for at in range(0, len(written), _LINES_A_BLOCK)]


def _linked(line: Line) -> str:
    text = escaped(line.text)
    # A bar would end the address of a link.
    return f"<{escaped(line.link).replace('|', '%7C')}|{text}>" if line.link else text


def _button(link: str) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Open in the console", "emoji": False}
    return {"type": "actions", "elements": [{"type": "button", "text": label, "url": link}]}
