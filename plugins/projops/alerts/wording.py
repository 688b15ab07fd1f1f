"""What an alert about a failure says, by the group of its cause (`failing`): for people, in their words."""

from collections.abc import Mapping
from dataclasses import dataclass

from projops.alerts.model import Kind, Severity


@dataclass(frozen=True, slots=True)
class Words:
    """What an alert about a group of causes says.

    Attributes:
        title: A few words; `{0}` is what follows the group in the cause: a connection, a leg, a file.
        meaning: A sentence.
        kind: What the alert is about.
        severity: How pressing it is.
        remedy: What to do, where the error itself says only what happens by itself; "" leaves that to it.
    """

    title: str
    meaning: str
    kind: Kind = Kind.FAILURE
    severity: Severity = Severity.CRITICAL
    remedy: str = ""


OF_FAILURES: Mapping[str, Words] = {
    "environment": Words(
        "The connections lead to another environment",
        "Nothing is read or written until state and connections belong together again.",
    ),
    "authentication": Words(
        "{0}: our credentials are refused",
        "Nothing that needs this connection moves. No change is lost: each comes once we are let in again.",
    ),
    "configuration": Words(
        "{0}: something is set up wrongly",
        "What needs it does not move until a person corrects it. No change is lost.",
    ),
    "mapping": Words(
        "{0} is wrong",
        "Its map does not run; the other maps do.",
        Kind.BROKEN_MAP,
    ),
    "staging": Words(
        "Staged files are gone",
        "The runs concerned cannot go on with what they had read. Nothing is lost: it is read again.",
        Kind.STOPPED,
    ),
    "protocol": Words(
        "{0}: an answer that the protocol does not allow",
        "The leg does not move until what stands between us and the system is mended.",
        Kind.STOPPED,
    ),
    "stopped": Words(
        "{0} has stopped",
        "Nothing of this batch was loaded, and nothing of the leg moves until a person has looked.",
        Kind.STOPPED,
    ),
    "unavailable": Words(
        "{0} does not answer",
        "Nothing that needs it moves, the other system works on. No change is lost: each comes later.",
        remedy="See whether the system is up and the address of the connection is right. Runs try again by "
        "themselves every five minutes; what failed need not be cleared.",
    ),
    "throttled": Words(
        "{0} holds us back",
        "The system takes fewer requests than we have to send: changes arrive later than they should.",
        severity=Severity.WARNING,
        remedy="Nothing, if it passes: runs try again by themselves. If it comes often, others use the same "
        "user: give the connection smaller `limits`, or a user of its own.",
    ),
    "lease": Words(
        "{0} is held by another writer",
        "A run gave up waiting for a map that another one writes; its changes come with the next run.",
        severity=Severity.WARNING,
        remedy="Nothing, if it passes. Page Maps names the writer; one that fell silent loses its hold by "
        "itself after PROJOPS_LEASE_SECONDS.",
    ),
    "again": Words(
        "{0} has failed",
        "Its changes come with a later run.",
        severity=Severity.WARNING,
        remedy="Nothing, if it passes: runs try again by themselves.",
    ),
    "unexpected": Words(
        "{0} has failed unexpectedly",
        "What it was to do is not done. This may be a defect of this program, or of the machine it ran on.",
    ),
}
OF_OTHERS = Words("{0} has failed", "What it was to do is not done.")
