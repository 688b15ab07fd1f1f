"""What Teams is posted: one Adaptive Card within its bounds, in which no text is Markdown."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from projops.alerts import channels
from projops.alerts.channels import teams
from projops.alerts.model import Channel, Message, MessageKind, Severity
from projops.alerts.texts import bounded
from projops.systems.connection import Parts
from tests import receivers


def runs(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All runs of text of a card's elements."""
    for part in parts:
        yield from part["inlines"] if part["type"] == "RichTextBlock" else runs(part["items"])


def card_of(body: dict[str, Any]) -> dict[str, Any]:
    [attachment] = body["attachments"]
    assert body["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card: dict[str, Any] = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    return card


def test_it_arrives_with_what_to_do_and_a_link(message: Message) -> None:
    with receivers.webhook() as hook:
        hook.answers.append((202, {}, ""))  # as Workflows answers
        channels.send(Channel("ops", "teams", "hook"), message, Parts("http", password=hook.address))
    [body] = hook.posts
    card = card_of(body)
    assert [run["text"] for run in runs(card["body"])] == [
        "[Project Operations Sync] Critical: Customers have stopped",
        "60 of 100 rows of customers broke a rule.",
        "• customers: 60 rows",
        "• all else is in step",
        "What it means",
        "Nothing of customers is moved.",
        "What to do",
        "Mend the rows in Finance, then run the map again.",
    ]
    opens = {"type": "Action.OpenUrl", "url": message.link}
    assert card["actions"] == [opens | {"title": "Open in the console"}]
    assert [part["selectAction"] for part in card["body"] if part["type"] == "Container"] == [opens]


@pytest.mark.parametrize(
    ("kind", "severity", "colour"),
    [
        (MessageKind.OPENED, Severity.CRITICAL, "Attention"),
        (MessageKind.OPENED, Severity.WARNING, "Warning"),
        (MessageKind.RESOLVED, None, "Good"),
        (MessageKind.DIGEST, None, "Default"),
    ],
)
def test_the_head_is_coloured_beside_its_word(
    kind: MessageKind, severity: Severity | None, colour: str
) -> None:
    card = card_of(teams.body(Message(kind, "r", "subject", "happened", severity=severity)))
    assert next(runs(card["body"]))["color"] == colour
    assert "actions" not in card


def test_hostile_texts_stay_texts_and_within_bounds(hostile: Message) -> None:
    body = teams.body(bounded(hostile))
    written = json.dumps(body)
    assert len(written) <= 28_000  # what Teams takes
    assert "TextBlock" not in written.replace("RichTextBlock", "")  # that one reads Markdown
    assert {run["type"] for run in runs(card_of(body)["body"])} == {"TextRun"}
    assert "evil" not in {action["url"] for action in card_of(body)["actions"]}
