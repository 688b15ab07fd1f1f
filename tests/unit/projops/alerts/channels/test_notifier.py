"""Any notifier of Airflow's, called as Airflow calls it."""

from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from projops.alerts import channels
from projops.alerts.model import Channel, Message, MessageKind
from projops.errors import DeliveryError


class Recorder(BaseNotifier):
    """A notifier like those of providers: its texts are templates."""

    template_fields = ("subject", "text")
    told: list[tuple[str, str]] = []

    def __init__(self, *, subject: str, text: str = "", fails: bool = False) -> None:
        super().__init__()
        self.subject, self.text, self.fails = subject, text, fails

    def notify(self, context: Any) -> None:
        if self.fails:
            raise RuntimeError("token Pl4ntedS3cret was refused")
        self.told.append((self.subject, self.text))


def channel(path: str = f"{__name__}.Recorder", **arguments: object) -> Channel:
    return Channel("pager", "notifier", options={"class": path, "arguments": arguments})


def test_its_templates_see_the_message(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "told", [])
    channels.send(
        channel(subject="{{ alert.subject }}", text="{{ alert.severity }} {{ alert.text }}"), message, None
    )
    [(subject, text)] = Recorder.told
    assert subject == "[Project Operations Sync] Critical: Customers have stopped"
    assert text.startswith("critical 60 of 100 rows of customers broke a rule.")
    assert text.rstrip().endswith(message.link)


def test_a_text_that_looks_like_a_template_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "told", [])
    message = Message(MessageKind.TEST, "r", "{{ 6 * 7 }}", "{% raw %}")
    channels.send(channel(subject="{{ alert.subject }}"), message, None)
    assert Recorder.told == [("[Project Operations Sync] {{ 6 * 7 }}", "")]


@pytest.mark.parametrize(
    ("wrong", "said", "again"),
    [
        (channel("no_such_module.Notifier"), "cannot be imported. Install its provider", False),
        (channel(f"{__name__}.Absent"), "cannot be imported", False),
        (channel("Recorder"), "cannot be imported", False),
        (channel("pathlib.Path"), "is no notifier", False),
        (channel(f"{__name__}.channel"), "is no notifier", False),
        (channel(topic="x"), "does not take these arguments", False),
        (channel(subject="x", fails=True), r"failed \(RuntimeError\)", True),
        (channel(subject="{{ nothing.such }}"), r"failed \(UndefinedError\)", True),
    ],
)
def test_one_that_cannot_be_used_is_named(message: Message, wrong: Channel, said: str, again: bool) -> None:
    with pytest.raises(DeliveryError, match=said) as raised:
        channels.send(wrong, message, None)
    assert raised.value.again is again
    assert "Pl4ntedS3cret" not in str(raised.value)
