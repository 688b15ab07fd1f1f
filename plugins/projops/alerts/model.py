"""What alerts are made of: causes found, rules about them, channels, and the messages that channels carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
    """What an alert is about; a rule names one as `when`."""

    FAILURE = "failure"  # a task failed for good
    STOPPED = "stopped"  # a leg stopped: the breaker, an implausible read, staged files lost
    BROKEN_MAP = "broken_map"  # a mapping file is wrong
    DEAD_LETTERS = "dead_letters"  # rows of one kind of error within a time
    APPROVAL = "approval"  # deletes wait for a person
    PARKED = "parked"  # rows wait for others for too long
    LATE = "late"  # a leg was not in step for longer than its deadline
    DRIFT = "drift"  # a reconciliation found more differences than are tolerated
    BOOKS = "books"  # something that must hold of the books does not
    UNPROVED = "unproved"  # no reconciliation has run for too long
    BUDGET = "budget"  # the day's requests are used up, or nearly
    CHANNEL = "channel"  # a channel of alerts cannot be reached


class Severity(StrEnum):
    """How pressing an alert is, the most pressing first."""

    CRITICAL = "critical"  # something does not move until a person acts
    WARNING = "warning"  # everything else moves on


class Action(StrEnum):
    """What a rule does beside telling people, the mildest first."""

    NONE = "none"
    PAUSE = "pause"  # as `projops pause`: a batch under way is finished
    STOP = "stop"  # as `projops pause --now`: it ends at its next chunk


class MessageKind(StrEnum):
    """Why a message is sent."""

    OPENED = "opened"
    RESOLVED = "resolved"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Alert:
    """One cause, as people are told of it.

    Attributes:
        cause: Stable id of the cause: `authentication:dataverse_default`, `drift:customers`. While an alert
            of it is open, there is no other.
        kind: What it is about.
        severity: How pressing it is.
        title: A few words, without a full stop.
        happened: Sentences: what happened.
        meaning: A sentence: what that means.
        remedy: Sentences: what to do, the console's actions first.
        page: Path of the console's page where it is mended, below its root, without a slash at its start.
        map: Map id, where it is of one map.
        leg: Direction, where it is of one leg.
        count: How many rows, tasks or requests it is about.
    """

    cause: str
    kind: Kind
    severity: Severity
    title: str
    happened: str
    meaning: str
    remedy: str
    page: str
    map: str | None = None
    leg: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """When to tell whom, and what else to do.

    Attributes:
        name: Its name in the file.
        when: What it is about.
        notify: Names of channels; the console shows every alert anyway.
        maps: Only of these maps; () for all.
        areas: Only of these areas; () for all.
        errors: For dead letters: only of these rules and errors, each counted for itself; () for every one,
            and `any` for all together.
        count: From how many rows on (dead letters, drift), or from which share of the budget in per cent.
        within: Within which time (dead letters), or for how long (late, parked, unproved).
        action: What else to do to the maps concerned.
        resolved: Whether the end of it is told too.
    """

    name: str
    when: Kind
    notify: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    count: int = 1
    within: timedelta = timedelta(0)
    action: Action = Action.NONE
    resolved: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go.

    Attributes:
        name: Its name in the file.
        type: smtp, teams, slack or notifier.
        connection: Id of the Airflow connection that holds address and secrets; "" where it needs none.
        options: What else the file says of it, as plain YAML values: `to`, `class`, `arguments`, ...
    """

    name: str
    type: str
    connection: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class DigestSettings:
    """When the daily digest is sent, and to whom.

    Attributes:
        notify: Names of channels; () for nobody.
        hour: Hour of the day in `zone`.
        minute: Minute of it.
        zone: IANA time zone.
    """

    notify: tuple[str, ...] = ()
    hour: int = 6
    minute: int = 0
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What the file of alerts says.

    Attributes:
        channels: Channels by name.
        rules: Rules in the order of the file.
        digest: The daily digest.
    """

    channels: Mapping[str, Channel]
    rules: tuple[Rule, ...]
    digest: DigestSettings = DigestSettings()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a message.

    Attributes:
        text: Plain text.
        link: Absolute address of the page that it is about; "" for none.
    """

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel carries; plain text throughout, which each channel escapes in its own way.

    Attributes:
        kind: Why it is sent.
        reference: What belongs together bears the same: `alert-12`, `digest-2026-11-23`.
        subject: One line.
        happened: Sentences: what happened.
        meaning: What that means; "" where there is nothing to say.
        remedy: What to do; "" where there is nothing to do.
        link: Absolute address of the console's page; "" where the server's address is not known.
        severity: How pressing it is; None of a digest.
        lines: Further lines, such as those of a digest.
    """

    kind: MessageKind
    reference: str
    subject: str
    happened: str
    meaning: str = ""
    remedy: str = ""
    link: str = ""
    severity: Severity | None = None
    lines: tuple[Line, ...] = ()
