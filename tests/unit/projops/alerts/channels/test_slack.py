"""What Slack is posted: blocks within its bounds, in which no text is an order."""

import json
from typing import Any

import pytest

from projops.alerts import channels
from projops.alerts.channels import slack
from projops.alerts.model import Channel, Message, MessageKind
from projops.alerts.texts import bounded
from projops.systems.connection import Parts
from tests import receivers


def texts(body: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]


def test_it_arrives_with_what_to_do_and_a_link(message: Message) -> None:
    with receivers.webhook() as hook:
        channels.send(Channel("ops", "slack", "hook"), message, Parts("http", password=hook.address))
    [body] = hook.posts
    assert body["text"] == "[Project Operations Sync] Critical: Customers have stopped"
    assert [block["type"] for block in body["blocks"]] == ["header", *["section"] * 4, "actions"]
    assert body["blocks"][0]["text"]["type"] == "plain_text"
    assert texts(body) == [
        ":red_circle: 60 of 100 rows of customers broke a rule.",
        f"• <{message.link}|customers: 60 rows>\n• all else is in step",
        "*What it means*\nNothing of customers is moved.",
        "*What to do*\nMend the rows in Finance, then run the map again.",
    ]
    assert body["blocks"][-1]["elements"][0]["url"] == message.link


@pytest.mark.parametrize(
    ("kind", "sign"),
    [(MessageKind.RESOLVED, ":white_check_mark:"), (MessageKind.DIGEST, ":information_source:")],
)
def test_other_messages_bear_other_signs(kind: MessageKind, sign: str) -> None:
    body = slack.body(Message(kind, "r", "subject", "happened"))
    assert texts(body) == [f"{sign} happened"]
    assert body["blocks"][-1]["type"] == "section"  # without a link there is no button


def test_hostile_texts_mention_nobody_and_lead_nowhere(hostile: Message) -> None:
    body = slack.body(bounded(hostile))
    written = "\n".join([body["text"], *texts(body)])
    links = [link.partition("|")[0] for link in written.split("<")[1:]]
    assert {link.partition("?")[0] for link in links} == {"https://airflow.example.com/projops/letters"}
    assert "&lt;!channel&gt; &lt;https://evil.example|click&gt;" in written
    assert all(block["text"]["verbatim"] for block in body["blocks"] if block["type"] == "section")


def test_whatever_is_sent_keeps_slacks_bounds(hostile: Message) -> None:
    body = slack.body(bounded(hostile))
    assert len(body["blocks"]) <= 50
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    assert max(map(len, texts(body))) <= 3000
    assert "And 36 more" in texts(body)[-2]
    assert json.dumps(body).isascii()
