"""What dual-write says of its running maps, on the wire."""

import pytest

from projops.dual_write import refuse_dual_write
from projops.errors import ConfigurationError, PoisonPageError, StopError
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.systems.dataverse import Dataverse
from tests.unit.projops.systems.wire import OpenSession, Wire

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
EXPENSES, MATERIALS = MAPS["expense_estimates"], MAPS["material_estimates"]  # both of one table


def runs(*entities: str | None) -> dict[str, object]:
    return {"value": [{"msdyn_externalentityname": entity} for entity in entities]}


async def ask(open_session: OpenSession) -> None:
    async with open_session() as session:
        await refuse_dual_write(Dataverse(session), EXPENSES, MAPS)


async def test_a_map_that_dual_write_does_not_run_goes(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, runs())
    await ask(open_session)
    [asked] = wire.seen
    assert "msdyn_internalentityname%20eq%20'msdyn_estimateline'%20and%20statecode%20eq%200" in asked.path


async def test_a_tenant_without_dual_write(wire: Wire, open_session: OpenSession) -> None:
    message = "Resource not found for the segment 'msdyn_dualwriteruntimeconfigs'."
    wire.reply(404, {"error": {"code": "0x80060888", "message": message}})
    await ask(open_session)


@pytest.mark.parametrize("entity", [EXPENSES.title, EXPENSES.title.upper(), "Something of their own", None])
async def test_a_map_that_dual_write_runs_is_refused(
    wire: Wire, open_session: OpenSession, entity: str | None
) -> None:
    wire.reply(200, runs(MATERIALS.title, entity))
    with pytest.raises(StopError, match="expense_estimates is refused.*projops pause expense_estimates"):
        await ask(open_session)


async def test_another_map_of_the_same_table_is_its_own_matter(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, runs(MATERIALS.title))
    await ask(open_session)


async def test_not_knowing_is_no_leave(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(403, {"error": {"code": "0x80040220", "message": "prvReadmsdyn_dualwriteruntimeconfig"}})
    with pytest.raises(ConfigurationError, match="which maps dual-write runs.*role"):
        await ask(open_session)


@pytest.mark.parametrize("rows", [None, {}, ["units"], [{"msdyn_externalentityname": 5}]])
async def test_an_answer_that_is_no_page_is_no_leave_either(
    wire: Wire, open_session: OpenSession, rows: object
) -> None:
    wire.reply(200, {"value": rows})
    with pytest.raises(PoisonPageError, match="which maps dual-write runs"):
        await ask(open_session)
