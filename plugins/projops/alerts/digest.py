"""The daily digest: how everything stands and what needs a person, sent once a day to each channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from projops.alerts.digest_text import Facts, digest
from projops.alerts.facts import areas_of
from projops.alerts.model import Channel, Message
from projops.alerts.rules import read_rules
from projops.console.morning import counts, needs, sections
from projops.engine import Engine
from projops.errors import DeliveryError
from projops.reconcile.model import Scope
from projops.standing import LegStatus, standings
from projops.state import alerts, digests, reconciliations
from projops.state.clock import present
from projops.state.throttling import budget_of

_DAY = timedelta(days=1)
_MOST_OVER = 500
Send = Callable[[Channel, Message], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a day's digest.

    Attributes:
        to: Channels that took it.
        before: Channels that have had it, or are about to.
        unsent: Why others did not take it.
    """

    to: tuple[str, ...]
    before: tuple[str, ...]
    unsent: tuple[str, ...]


def gather(engine: Engine, zone: str, now: datetime) -> Facts:
    """Read what a digest tells of.

    Args:
        engine: The engine; neither system is asked for anything.
        zone: IANA time zone in which people live.
        now: The present, aware.
    """
    legs = standings(engine)
    maps = {name: each for name, each in engine.maps.items() if each.enabled}
    found = sections(maps, engine.loaded.broken, legs, {}, now)
    with engine.state.reading() as connection:
        still, over = alerts.open_ones(connection), alerts.closed_ones(connection, _MOST_OVER)
        proof = reconciliations.latest(connection, scope=Scope())
        budget = budget_of(connection, engine.settings, (now - _DAY).astimezone(UTC).date())
    return Facts(
        day=now.astimezone(ZoneInfo(zone)).date(),
        standings=counts(found),
        moved=_moved(legs),
        needs=needs(found),
        open=still,
        opened=sum(each.opened_at > now - _DAY for each in (*still, *over)),
        over=sum(each.resolved_at is not None and each.resolved_at > now - _DAY for each in over),
        proof=proof,
        drift=sum(each.proof.drift for each in legs if each.proof is not None),
        budget=budget,
    )


def send_digest(engine: Engine, send: Send, console: str) -> Sent:
    """Send the day's digest to each channel that has not had it.

    Args:
        engine: The engine.
        send: Sends a message to a channel; raises `DeliveryError`.
        console: As in `digest`.
    """
    rules, _ = read_rules(engine.settings.alerts, areas_of(engine))
    with engine.state.reading() as connection:
        now = present(connection)
    facts = gather(engine, rules.digest.zone, now)
    message = digest(facts, console)
    to, before, unsent = [], [], []
    for name in rules.digest.notify:
        with engine.state.begin() as connection:
            taken = digests.take(connection, facts.day, name, now)
        if not taken:
            before.append(name)
        elif (why := _send(engine, send, rules.channels[name], message, facts.day)) is None:
            to.append(name)
        else:
            unsent.append(why)
    return Sent(tuple(to), tuple(before), tuple(unsent))


def _send(engine: Engine, send: Send, channel: Channel, message: Message, day: date) -> str | None:
    """Send it to one channel, outside of any transaction, and note what became of it; say why it was not."""
    try:
        send(channel, message)
    except DeliveryError as error:
        with engine.state.begin() as connection:
            digests.give_back(connection, day, channel.name)
        return str(error)
    with engine.state.begin() as connection:
        digests.note_sent(connection, day, channel.name, present(connection))
    return None


def _moved(legs: Sequence[LegStatus]) -> dict[str, int]:
    """Add up what was loaded by map, the most first."""
    rows: dict[str, int] = {}
    for each in legs:
        if loaded := each.facts.day.get("loaded", 0):
            rows[each.map] = rows.get(each.map, 0) + loaded
    return dict(sorted(rows.items(), key=lambda each: -each[1]))
