"""The watch: finds causes, tells of those that are new, takes back those that are over, and sends.

    facts -> causes -> alerts and deliveries   one transaction, one watch at a time
          -> pauses and stops                  each once an alert
          -> channels                          the outbox: one taken, sent, or tried again later; the next

Several watches side by side tell nothing twice: the next one sees what the first has told.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from projops import pausing
from projops.alerts import texts
from projops.alerts.causes import find, is_unreadable
from projops.alerts.facts import areas_of, gather
from projops.alerts.model import Action, AlertRules, Channel, Message, MessageKind
from projops.alerts.rules import read_rules
from projops.engine import Engine
from projops.errors import ConfigurationError, DeliveryError, MappingError
from projops.state import alerts, deliveries
from projops.state.alerts import Kept
from projops.state.clock import present
from projops.state.deliveries import Delivery

Send = Callable[[Channel, Message], None]
SHORTLY = timedelta(seconds=8)
"""For how long messages are begun at the end of a task that moves rows: Airflow ends it after 20 seconds."""
_UNNAMED = "The file of alerts names no such channel any more."


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch did.

    Attributes:
        opened: Numbers of the alerts that it opened.
        resolved: Numbers of those that were over.
        sent: How many messages reached their channel.
        unsent: Why others did not.
    """

    opened: tuple[int, ...]
    resolved: tuple[int, ...]
    sent: int = 0
    unsent: tuple[str, ...] = ()


def watch(engine: Engine, send: Send, console: str, patience: timedelta = SHORTLY) -> Watched:
    """Find what is wrong now, tell people once, and take back what is over.

    Args:
        engine: The engine; neither system is asked for anything.
        send: Sends a message to a channel; raises `DeliveryError`.
        console: Absolute address of the console's root, without a slash at its end; "" if not known.
        patience: For how long messages are begun; those left are the next watch's.
    """
    rules, findings = read_rules(engine.settings.alerts, areas_of(engine))
    with engine.state.begin() as connection:
        alerts.one_watch_at_a_time(connection)
        now = present(connection)
        facts = gather(connection, engine, rules, findings, now)
        found, closes = find(facts, rules), not is_unreadable(facts, rules)
        opened, resolved = alerts.settle(connection, found, now, closes)
    _act(engine)
    unsent = deliver(engine, rules, send, console, patience)
    failed = [why for why in unsent if why is not None]
    return Watched(tuple(opened), tuple(resolved), len(unsent) - len(failed), tuple(failed))


def deliver(
    engine: Engine, rules: AlertRules, send: Send, console: str, patience: timedelta
) -> list[str | None]:
    """Send what is due; of each message give None, or why it did not get through.

    The arguments are those of `watch`.
    """
    return [
        _deliver(engine, rules, send, console, delivery, kept)
        for delivery, kept in _taken(engine, time.monotonic() + patience.total_seconds())
    ]


def _taken(engine: Engine, until: float) -> Iterator[tuple[Delivery, Kept]]:
    """Take what is due one by one, so that whoever is killed or slow holds up a single message."""
    while time.monotonic() < until:
        with engine.state.begin() as connection:
            delivery = deliveries.take(connection, present(connection))
            if delivery is None:
                return
            kept = alerts.by_number(connection, [delivery.alert])[delivery.alert]
        yield delivery, kept


def _deliver(
    engine: Engine, rules: AlertRules, send: Send, console: str, delivery: Delivery, kept: Kept
) -> str | None:
    """Send one message outside of any transaction, and note what became of it."""
    say = texts.resolved if delivery.kind is MessageKind.RESOLVED else texts.opened
    channel = rules.channels.get(delivery.channel)
    try:
        if channel is None:
            raise DeliveryError(_UNNAMED, again=False)
        send(channel, say(kept.alert, kept.id, console))
    except DeliveryError as error:
        with engine.state.begin() as connection:
            deliveries.note_failed(connection, delivery, str(error), error.again, present(connection))
        return str(error)
    with engine.state.begin() as connection:
        deliveries.note_sent(connection, delivery, present(connection))
    return None


def _act(engine: Engine) -> None:
    """Pause or stop the maps of alerts whose rules say so, once an alert."""
    with engine.state.begin() as connection:
        waiting = alerts.to_act_on(connection)
    for kept in waiting:
        if kept.alert.map is not None:
            _hold(engine, kept, kept.alert.map)
        with engine.state.begin() as connection:
            alerts.note_action(connection, kept.id, present(connection))


def _hold(engine: Engine, kept: Kept, map_id: str) -> None:
    reason = f"{kept.alert.title} (alert {kept.id})."
    with suppress(ConfigurationError, MappingError):  # a map that is broken or gone moves nothing anyway
        actor, at_once = f"alert rule {kept.rule}", kept.action is Action.STOP
        pausing.pause(engine, [map_id], None, actor, reason, at_once=at_once)
