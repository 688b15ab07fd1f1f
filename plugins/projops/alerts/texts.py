"""What people read of an alert: the message that channels carry, and the bounds that each of them keeps."""

import unicodedata
from dataclasses import replace

from projops.alerts.model import Alert, Line, Message, MessageKind, Severity

MOST_LINES = 25
_LONGEST = 1200  # characters of a paragraph
_LONGEST_LINE = 300
_LONGEST_SUBJECT = 140  # a header of Slack takes 150
_PRODUCT = "Project Operations Sync"
# Control and format characters: they could break a header in two, or turn a text around.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
HEADINGS = (("What it means", "meaning"), ("What to do", "remedy"))
"""The parts of a message below what happened: title, and field of `Message`."""


def opened(alert: Alert, number: int, console: str) -> Message:
    """Tell of an alert.

    Args:
        alert: The alert.
        number: Its number in the state.
        console: Absolute address of the console's root, without a slash at its end; "" if not known.
    """
    word = "Critical" if alert.severity is Severity.CRITICAL else "Warning"
    return Message(
        kind=MessageKind.OPENED,
        reference=_reference(number),
        subject=f"{word}: {alert.title}",
        happened=alert.happened,
        meaning=alert.meaning,
        remedy=alert.remedy,
        link=page_link(console, alert.page),
        severity=alert.severity,
    )


def resolved(alert: Alert, number: int, console: str) -> Message:
    """Tell that an alert is over; arguments as in `opened`."""
    return Message(
        kind=MessageKind.RESOLVED,
        reference=_reference(number),
        subject=f"Over: {alert.title}",
        happened="This is over; nothing is left to do. It was:",
        lines=(Line(alert.happened),),
        link=page_link(console, alert.page),
    )


def trial(channel: str, console: str) -> Message:
    """Make a message that only shows that a channel works.

    Args:
        channel: Name of the channel.
        console: As in `opened`.
    """
    return Message(
        kind=MessageKind.TEST,
        reference="test",
        subject=f"Test of the channel {channel}",
        happened="Somebody asked for this message to see whether it arrives. It does.",
        meaning="Alerts that a rule sends to this channel come here.",
        link=page_link(console, "alerts"),
    )


def page_link(console: str, page: str) -> str:
    """Give the absolute address of a page of the console; "" where the console's is not known."""
    return f"{console}/{page}" if console else ""


def bounded(message: Message) -> Message:
    """Bring a message into the bounds that every channel keeps: few lines, short ones, one line a subject."""
    shown = message.lines if len(message.lines) <= MOST_LINES else message.lines[: MOST_LINES - 1]
    rest = len(message.lines) - len(shown)
    more = (Line(f"And {rest} more: the console shows them.", message.link),) if rest else ()
    return replace(
        message,
        subject=_one_line(f"[{_PRODUCT}] {message.subject}", _LONGEST_SUBJECT),
        happened=_one_line(message.happened, _LONGEST),
        meaning=_one_line(message.meaning, _LONGEST),
        remedy=_one_line(message.remedy, _LONGEST),
        lines=tuple(Line(_one_line(each.text, _LONGEST_LINE), each.link) for each in (*shown, *more)),
    )


def plain(message: Message) -> str:
    """Write a message as plain text: the part of a mail that every program can show."""
    parts = [message.happened, "\n".join(_plain_line(each) for each in message.lines)]
    parts += [f"{title}: {text}" for title, text in told(message)]
    parts.append(message.link)
    return "\n\n".join(part for part in parts if part) + "\n"


def told(message: Message) -> list[tuple[str, str]]:
    """Give the parts below what happened that have something to say: title and text."""
    return [(title, text) for title, field in HEADINGS if (text := getattr(message, field))]


def _plain_line(line: Line) -> str:
    return f"- {line.text}" + (f"\n  {line.link}" if line.link else "")


def _reference(number: int) -> str:
    return f"alert-{number}"


def _one_line(text: str, longest: int) -> str:
    """Write a text on one line, without what nobody sees, cut where it is too long."""
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in text)
    line = " ".join(seen.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
