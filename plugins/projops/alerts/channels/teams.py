"""Microsoft Teams: a webhook of Workflows ("Post to a channel when a webhook request is received").

It takes a message with an Adaptive Card. The cards' text blocks read Markdown; rich text blocks do not, so
that nothing in a text can be a link or an order.
"""

from typing import Any

from projops.alerts.channels.webhook import address_of, post
from projops.alerts.model import Channel, Line, Message, MessageKind, Severity
from projops.alerts.texts import told
from projops.systems.connection import Parts

_COLOURS = {Severity.CRITICAL: "Attention", Severity.WARNING: "Warning"}


def send(channel: Channel, message: Message, connection: Parts | None) -> None:
    """Send a message to a channel of Teams.

    Raises:
        DeliveryError: It did not arrive.
    """
    post(channel, address_of(channel, connection), body(message))


def body(message: Message) -> dict[str, Any]:
    """Write a message as a webhook of Workflows takes it: one attachment, an Adaptive Card 1.4."""
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": message.subject,
        "msteams": {"width": "Full"},
        "body": [
            _text(message.subject, size="Medium", weight="Bolder", color=_colour(message)),
            _text(message.happened),
            *map(_line, message.lines),
            *(part for title, text in told(message) for part in (_text(title, weight="Bolder"), _text(text))),
        ],
    }
    if message.link:
        card["actions"] = [_open(message.link) | {"title": "Open in the console"}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _colour(message: Message) -> str:
    if message.kind is MessageKind.RESOLVED:
        return "Good"
    return _COLOURS[message.severity] if message.severity else "Default"


def _text(text: str, **look: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _line(line: Line) -> dict[str, Any]:
    if not line.link:
        return _text(f"• {line.text}")
    shown = _text(f"• {line.text}", color="Accent")
    return {"type": "Container", "items": [shown], "selectAction": _open(line.link), "spacing": "Small"}


def _open(link: str) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "url": link}
