"""Versions of a leg's mapping side by side: what each says that the one before did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry of a mapping that is not as it was.

    Attributes:
        entry: What it is about: `column Name`, `where`, `companies`, `value map no_yes` …
        old: What was said before; None where it was not there.
        new: What is said now; None where it is not there any more.
    """

    entry: str
    old: str | None
    new: str | None

    @property
    def what(self) -> str:
        """What became of the entry: added, removed or changed."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"


def compared(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Difference, ...]:
    """Compare what two versions say, entry by entry (`wording.leg_words`); first what is there now."""
    return tuple(
        Difference(entry, old.get(entry), new.get(entry))
        for entry in dict.fromkeys((*new, *old))
        if old.get(entry) != new.get(entry)
    )
