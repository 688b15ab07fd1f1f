"""Messages of Finance's jobs and journals about rows that we brought: E8 to E16.

The jobs (import from staging, posting of journals and proposals) write them as rows of an entity set
behind the project integration workspace, and mark them resolved when they pass (PROPOSED: no public
source names the set; a tenant without it has no such messages). Those that are unresolved stand among
the dead letters, so that people find all that waits in one place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from projops.errors import ProtocolError
from projops.load.documented_errors import ACTUALS, DOCUMENTED, INVOICES
from projops.load.results import rule_of
from projops.mapping.keys import key_text
from projops.mapping.model import Direction, TableMap
from projops.state import StateStore, dead_letters
from projops.state.dead_letters import FINANCE_STAGE, Letter, Origin
from projops.systems.finance import Finance
from projops.systems.properties import Form, Property

ENTITY_SET = "ProjectIntegrationMessages"
MAPS = (ACTUALS, INVOICES)
_UNNAMED = "finance_job"
_LEG = Direction.FINANCE_TO_DATAVERSE.value
_TEXT = partial(Property, type=pa.string())
_SEVERITY = Property("Severity", pa.string(), Form.ENUM, "ProjMessageSeverity")
_COLUMNS = (
    *map(_TEXT, ("dataAreaId", "MessageId", "ErrorId", "DocumentNumber", "MessageText")),
    Property("ActualsImportId", pa.string(), Form.GUID),
    _SEVERITY,
)
_UNRESOLVED = "Resolved eq Microsoft.Dynamics.DataEntities.NoYes'No'"


@dataclass(frozen=True, slots=True)
class Message:
    """An unresolved message that a row has not passed a job.

    Attributes:
        company: Legal entity, lower case.
        id: Number of the message in the company.
        rule: Id of the documented error, or of the rule where none is documented (R607).
        row: Import id of the actual, or number of the document.
        text: Finance's own sentence.
    """

    company: str
    id: str
    rule: str
    row: str
    text: str

    @property
    def map(self) -> str:
        """The map whose row it is about."""
        documented = DOCUMENTED.get(self.rule)
        return documented.map if documented is not None else ACTUALS

    @property
    def letter(self) -> Letter:
        """The message as a dead letter of that row."""
        return Letter(
            source_id=f"message {key_text([self.company, self.id])}",
            key=key_text([self.row, self.company]),
            status="open",
            stage=FINANCE_STAGE,
            rule=self.rule,
            message=self.text,
        )


async def hear_finance(state: StateStore, finance: Finance, maps: Mapping[str, TableMap]) -> None:
    """Bring the dead letters of Finance's jobs up to date; where none of the maps is theirs, ask nothing.

    Args:
        state: State database.
        finance: Where the messages are.
        maps: Maps of the run, by id.
    """
    if maps.keys() & set(MAPS):
        messages = await read_messages(finance)
        if messages is not None:
            settle_messages(state, maps, messages)


async def read_messages(finance: Finance) -> list[Message] | None:
    """Read the unresolved messages that say that a row was refused; None where Finance has no such set.

    Mere information and warnings concern nobody here.
    """
    found: list[Message] = []
    try:
        async for page in finance.pages(ENTITY_SET, _COLUMNS, _UNRESOLVED, ("dataAreaId", "MessageId")):
            found += [_message(row) for row in page.batch.to_pylist() if _is_refusal(row)]
    except ProtocolError as error:
        if error.context.get("status") == 404:
            return None
        raise
    return found


def settle_messages(state: StateStore, maps: Mapping[str, TableMap], messages: Sequence[Message]) -> None:
    """Open a dead letter for each unresolved message about some maps, and close those of all others.

    What a person has dismissed stays so, however long Finance keeps it, until it says something else.
    """
    with state.begin() as connection:
        for map_id in (name for name in MAPS if name in maps):
            told = [message.letter for message in messages if message.map == map_id]
            dismissed = dead_letters.dismissed(connection, map_id, FINANCE_STAGE)
            letters = [letter for letter in told if (letter.source_id, letter.message) not in dismissed]
            unresolved = {letter.source_id for letter in letters}
            live = dead_letters.live(connection, map_id, stage=FINANCE_STAGE)
            passed = [row["source_id"] for row in live if row["source_id"] not in unresolved]
            # No batch has met them: batch 0 keeps each sight of a message from counting as an attempt.
            dead_letters.record(connection, Origin(map_id, _LEG, 0, maps[map_id].version), letters)
            dead_letters.resolve(connection, map_id, _LEG, passed, "passed by its job in Finance")


def _is_refusal(row: Mapping[str, str | None]) -> bool:
    return row["ErrorId"] is not None or row["Severity"] == "Error"


def _message(row: Mapping[str, str | None]) -> Message:
    text = row["MessageText"] or "Finance gives no reason."
    return Message(
        company=str(row["dataAreaId"]).lower(),
        id=str(row["MessageId"]),
        rule=row["ErrorId"] or rule_of(text, _UNNAMED),
        row=row["ActualsImportId"] or row["DocumentNumber"] or str(row["MessageId"]),
        text=text,
    )
