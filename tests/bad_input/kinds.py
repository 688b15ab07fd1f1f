"""What a piece of bad input is, and where it is to end."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest


class Ending(StrEnum):
    """Where bad input ends."""

    DEAD_LETTER = "the row is set aside with key and rule, the others go on"
    STOP = "one sentence, nothing is taken"
    RETRIED = "asked again, then read"
    AGAIN_LATER = "one sentence, the task is tried again"
    FULL_READ = "one sentence, a full read heals it"
    FINDING = "a finding with file and line, the other maps run"
    AS_IT_IS = "no error: it arrives as it is"


@dataclass(frozen=True)
class Case:
    """A piece of bad input.

    Attributes:
        kind: What is bad; several cases may be of one kind, in several shapes.
        shape: What it is bad in: a map, a system, a form of answer.
        ending: Where it ends.
        named: What the message must name (a pattern), or the rule of the dead letter.
        content: The bad input itself.
    """

    kind: str
    shape: str
    ending: Ending
    named: str
    content: Any


def ids(cases: Sequence[Case]) -> list[Any]:
    """Cases as pytest's parameters."""
    return [pytest.param(case, id=f"{case.kind}, {case.shape}") for case in cases]
