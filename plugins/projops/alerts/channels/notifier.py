"""Any notifier of Airflow's: PagerDuty, Opsgenie, Amazon SNS, one of your own."""

from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from typing import Any

from projops.alerts.model import Channel, Message
from projops.alerts.texts import plain
from projops.errors import DeliveryError
from projops.systems.connection import Parts


def send(channel: Channel, message: Message, connection: Parts | None) -> None:
    """Call a notifier, as Airflow does for a callback: instantiated, its templates rendered, notified.

    The file names it by `class` and gives it `arguments`; texts among them are templates, which see the
    message as `alert`: `{{ alert.subject }}`, `happened`, `meaning`, `remedy`, `link`, `severity`, `kind`,
    `reference`, and `text`, all of it as plain text. The notifier finds its own connection.

    Raises:
        DeliveryError: There is no such notifier, it does not take these arguments, or it failed.
    """
    del connection
    make = _notifier(channel)
    try:
        made = make(**channel.options.get("arguments", {}))
    except TypeError:
        raise _unusable(channel, "does not take these arguments", "See its documentation.") from None
    try:
        made({"alert": facts(message)})  # a name of its own: a notifier's fields are seen beside it
    except Exception as problem:  # a class from elsewhere may raise anything, with secrets in its text
        raise DeliveryError(
            f"Channel {channel.name}: its notifier failed ({type(problem).__name__}).",
            again=True,
            remedy="Tried again by itself; see whether its connection is right.",
            channel=channel.name,
        ) from None


def facts(message: Message) -> dict[str, Any]:
    """Give what the templates of a notifier see as `alert`."""
    told = asdict(message)
    return {
        **{name: told[name] for name in ("reference", "subject", "happened", "meaning", "remedy", "link")},
        "kind": message.kind.value,
        "severity": message.severity.value if message.severity else "",
        "text": plain(message),
    }


def _notifier(channel: Channel) -> Callable[..., Callable[[dict[str, Any]], None]]:
    path = str(channel.options.get("class", ""))
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise _unusable(channel, "cannot be imported", "Install its provider, or mend `class`.") from None
    if not (isinstance(found, type) and callable(getattr(found, "notify", None))):
        raise _unusable(channel, "is no notifier", "Name a class that is one of Airflow's notifiers.")
    return found


def _unusable(channel: Channel, problem: str, remedy: str) -> DeliveryError:
    return DeliveryError(
        f"Channel {channel.name}: {channel.options.get('class')} {problem}.",
        again=False,
        remedy=remedy,
        channel=channel.name,
    )
