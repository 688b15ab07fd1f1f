"""What it means that a row was set aside, and what to do about it: the same on pages and on the command line.

The errors that Microsoft documents are in `load.documented_errors`; here are the rules of our own stages.
A rule that a person has written for a map says in its own message what is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from projops.load.documented_errors import DOCUMENTED
from projops.load.gate import RULE as BILLING_GATE
from projops.load.target import PARENT_KEY_CHANGED
from projops.poison import RULE as POISON
from projops.state.dead_letters import AWAITING, FINANCE_STAGE, FORMER_KEY_FORM, MASS_DELETE

_AT_SOURCE = "Correct the row at its source; the change brings it along by itself."
_FILL = "Fill it at the source; the change brings the row along by itself."
_WHICH = "NUMBER"
_REPLAY = f"then replay the row (`projops dead-letters replay {_WHICH}`)"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a rule means, and what to do.

    Attributes:
        meaning: One sentence.
        remedy: What to do, actions of the console first; "" where the row's own sentence says all.
    """

    meaning: str
    remedy: str

    def naming(self, which: str) -> "Advice":
        """Give it with commands that name the entries: their numbers, or options that choose them."""
        return replace(self, remedy=self.remedy.replace(_WHICH, which))


_VALUE_MAP = Advice(
    "A value of the row has no line in the value map, so that the other side has no word for it.",
    f"Add the line to the value map, {_REPLAY}; or correct the row at its source.",
)
_WRITTEN = Advice("The row breaks a rule that was written for its map; the rule's sentence says which.", "")
_OPERATOR = Advice("The mapping can make no value of what the row holds in this field.", _AT_SOURCE)
_REFUSED = Advice(
    "The target has refused the row, for the reason in its own sentence.",
    f"Correct the row at its source, or what the sentence names at the target, {_REPLAY}.",
)
_BY_FINANCE = Advice(
    "A job of Finance has refused the row after it was written there.",
    "Mend what its message says and run that job again: the entry closes by itself.",
)
_WAITS = Advice(
    "The row refers to another one that the target does not have yet.",
    "Nothing: it goes by itself once that row is there. If it stays, see whether the map that it waits "
    "for runs, and which of its rows are set aside.",
)
_LACKS = Advice(
    "The row refers to another one that the target does not have, and no map brings that one.",
    "Make that row where its master is; each run tries this one again by itself.",
)
OWN: Mapping[str, Advice] = {
    "key": Advice("The row lacks a part of its key, by which both sides know it.", _FILL),
    "key_blank": Advice("A part of the row's key holds nothing but blanks.", _FILL),
    "key_length": Advice("The row's key is longer than any that can be kept.", _AT_SOURCE),
    "unique_key": Advice(
        "Two rows have the same key, so that nothing tells which of them is the other side's.",
        "Give one of them another key at the source; the change brings both along by itself.",
    ),
    "required": Advice("A field that the target must have is empty.", _FILL),
    "length": Advice("A text is longer than the target's column.", _AT_SOURCE),
    "guid": Advice("A value that must be a GUID is none.", _AT_SOURCE),
    "range": Advice("A number is larger or smaller than the target's column can hold.", _AT_SOURCE),
    "day": Advice("A date lies outside of the days that the target can hold.", _AT_SOURCE),
    "option": Advice(
        "The mapping makes a value that is none of the target's options.",
        f"Correct the value map, {_REPLAY}; or correct the row at its source.",
    ),
    "scale": Advice(
        "A number has more digits after the point than the target's column.",
        f"Round it in the mapping, {_REPLAY}; or correct the row at its source.",
    ),
    "type": Advice("A value is of another kind than the target's column can hold.", _AT_SOURCE),
    "value_map": _VALUE_MAP,
    "when": _VALUE_MAP,
    "unit": Advice("The unit of measure has no symbol that the other side could know.", _AT_SOURCE),
    "currency": Advice("The currency is no ISO code of three letters.", _AT_SOURCE),
    "not_at_target": Advice(
        "This direction only changes rows that the target has, and it has no such row.",
        f"Bring the row there the other way round or by hand, {_REPLAY}; or dismiss it.",
    ),
    "no_answer": Advice(
        "The target gave no clear answer for the row, however often it was asked.",
        "Nothing: each run tries it again by itself. If it stays, see how the system is.",
    ),
    "refused": _REFUSED,
    "finance_job": _BY_FINANCE,
    "parent_missing": _WAITS,
    PARENT_KEY_CHANGED: Advice(
        "The row refers to another one whose key has changed since both sides knew it.",
        "Let the map of that row bring its new key, or give it its old one back: this row then goes too.",
    ),
    BILLING_GATE: Advice(
        "The invoice waits until all that it bills is in Finance.",
        "Settle the rows that its sentence names; the invoice then goes by itself.",
    ),
    POISON: Advice(
        "The row crashes this program: a defect of ours. All other rows went on.",
        f"Report it with the evidence; once it is mended, {_REPLAY.removeprefix('then ')}.",
    ),
    MASS_DELETE: Advice(
        "One of so many deletes at once that a person is to look at them first.",
        "Find out why so much was deleted; then approve it, and the row is deleted if it is still gone "
        f"(`projops dead-letters approve {_WHICH}`), or dismiss it, and the row stays.",
    ),
    FORMER_KEY_FORM: Advice(
        "A row is gone at the source, and is known only by a key of a form that the map has given up.",
        "See at the target whether the row is to go, delete it there, and dismiss this.",
    ),
}


def advice_for(rule: str, status: str, stage: str) -> Advice:
    """Say what it means that rows were set aside, and what to do.

    Args:
        rule: Id of the rule or error.
        status: open, parked or awaiting_approval.
        stage: Where it was met: extract, validate, transform, load or finance.
    """
    documented = DOCUMENTED.get(rule)
    if documented is not None:
        return Advice(documented.meaning, documented.remedy)
    if stage == FINANCE_STAGE:
        return _BY_FINANCE
    if rule == "parent_missing" and status == "open":
        return _LACKS
    if rule in OWN:
        return OWN[rule]
    by_stage = {"validate": _WRITTEN, "transform": _OPERATOR}
    return _WAITS if status == "parked" else by_stage.get(stage, _REFUSED)


def advice_on(row: Mapping[str, Any]) -> Advice:
    """Say what it means that one row was set aside, and what to do.

    Args:
        row: Its dead letter: `id`, `rule`, `status`, `stage`, `approved_at` and `approved_by`.
    """
    advice = advice_for(row["rule"], row["status"], row["stage"])
    if row["status"] == AWAITING and row["approved_at"] is not None:
        done = f"Nothing: {row['approved_by']} has approved it, and it goes with the next run."
        return replace(advice, remedy=done)
    return advice.naming(str(row["id"]))
