"""Messages of Finance's jobs as dead letters: opened, refreshed and closed by what is unresolved."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest

from projops.errors import ProtocolError
from projops.extract.finance_messages import hear_finance, read_messages
from projops.mapping.reader import load_maps
from projops.replay import Selection, dismiss
from projops.settings import PROJECT_ROOT
from projops.state import StateStore, dead_letters
from projops.systems.decoding import Page
from projops.systems.properties import Property

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
OURS = {name: MAPS[name] for name in ("actuals", "invoice_proposals")}
ACTUAL = "00000000-0000-4000-8000-000000000001"


@dataclass
class Told:
    """A Finance that has messages, or fails."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int | None = None
    asked: int = 0

    async def pages(
        self, entity_set: str, columns: Sequence[Property], where: str, order_by: Sequence[str]
    ) -> AsyncIterator[Page]:
        self.asked += 1
        if self.status is not None:
            raise ProtocolError("No such set.", status=self.status)
        assert "Resolved eq" in where
        schema = pa.schema([(column.name, pa.string()) for column in columns])
        yield Page(pa.RecordBatch.from_pylist(self.messages, schema))


def message(number: str, error: str | None, **values: str) -> dict[str, Any]:
    facts = {"dataAreaId": "USPM", "MessageId": number, "ErrorId": error, "Severity": "Error"}
    return facts | {"MessageText": "It did not pass.", "ActualsImportId": ACTUAL} | values


def live(store: StateStore) -> list[tuple[str, str, str | None]]:
    with store.begin() as connection:
        return sorted((row["map"], row["rule"], row["key"]) for row in dead_letters.live(connection))


async def hear(store: StateStore, finance: Told, maps: dict[str, Any] = OURS) -> None:
    await hear_finance(store, finance, maps)  # type: ignore[arg-type]


async def test_each_message_is_a_dead_letter_of_the_row_that_it_is_about(store: StateStore) -> None:
    invoice = message("2", "E9", DocumentNumber="INV-1") | {"ActualsImportId": None}
    unnumbered = message("3", None, MessageText="Project stage finished doesn't allow recording.")
    await hear(store, Told([message("1", "E11"), invoice, unnumbered, message("4", "R607")]))
    assert live(store) == [
        ("actuals", "E11", f'["{ACTUAL}","uspm"]'),
        ("actuals", "E8", f'["{ACTUAL}","uspm"]'),
        ("actuals", "R607", f'["{ACTUAL}","uspm"]'),
        ("invoice_proposals", "E9", '["inv-1","uspm"]'),
    ]


async def test_what_is_resolved_or_gone_is_closed_and_the_rest_stays(store: StateStore) -> None:
    await hear(store, Told([message("1", "E11"), message("2", "E12")]))
    await hear(store, Told([message("2", "E12")]))
    assert [rule for _, rule, _ in live(store)] == ["E12"]
    await hear(store, Told())
    assert live(store) == []


async def test_a_message_that_opens_again_is_a_new_entry(store: StateStore) -> None:
    for told in ([message("1", "E11")], [], [message("1", "E11")]):
        await hear(store, Told(told))
    with store.begin() as connection:
        [row] = dead_letters.live(connection)
    assert (row["id"], row["attempts"]) == (2, 1)


async def test_a_dismissed_message_stays_dismissed_until_it_says_something_else(store: StateStore) -> None:
    await hear(store, Told([message("1", "E16")]))
    with store.begin() as connection:
        [row] = dead_letters.live(connection)
    dismiss(store, Selection((row["id"],)), "An internal project", "a test")
    await hear(store, Told([message("1", "E16")]))
    assert live(store) == []
    await hear(store, Told([message("1", "E11", MessageText="There is no relation.")]))
    assert [rule for _, rule, _ in live(store)] == ["E11"]


async def test_warnings_are_for_finance_alone(store: StateStore) -> None:
    await hear(store, Told([message("1", None, Severity="Warning"), message("2", None, Severity="Info")]))
    assert live(store) == []


async def test_a_run_of_other_maps_asks_nothing_and_closes_nothing(store: StateStore) -> None:
    await hear(store, Told([message("1", "E11"), message("2", "E9", DocumentNumber="INV-1")]))
    silent = Told()
    await hear(store, silent, {"customers": MAPS["customers"]})
    assert silent.asked == 0
    await hear(store, Told(), {"invoice_proposals": MAPS["invoice_proposals"]})
    assert [map_id for map_id, _, _ in live(store)] == ["actuals"]


async def test_a_tenant_without_the_set_has_no_messages_and_keeps_what_is_open(store: StateStore) -> None:
    await hear(store, Told([message("1", "E11")]))
    await hear(store, Told(status=404))
    assert len(live(store)) == 1
    with pytest.raises(ProtocolError):
        await read_messages(Told(status=400))  # type: ignore[arg-type]
