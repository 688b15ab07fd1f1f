from collections.abc import Sequence

import pyarrow as pa
import pytest

from projops.extract.lookups import Lookups

COMPANIES = {"c1": "uspm", "c2": "demf"}
PROJECTS = {"p1": ("PRJ-1", "c1"), "p2": ("PRJ-2", "c2"), "p3": ("PRJ-3", None)}


class Reads:
    """Rows by GUID, as Dataverse would give them, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def __call__(self, table: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        self.asked.append((table, tuple(ids)))
        if table == "cdm_company":
            rows = [{"_id": each, "cdm_companycode": COMPANIES[each]} for each in ids if each in COMPANIES]
        else:
            rows = [
                {
                    "_id": each,
                    "msdyn_projectnumber": PROJECTS[each][0],
                    "msdyn_owningcompany": PROJECTS[each][1],
                }
                for each in ids
                if each in PROJECTS
            ]
        kinds = pa.schema([(name, pa.string()) for name in ("_id", *columns)])
        return pa.Table.from_pylist([{name: row[name] for name in kinds.names} for row in rows], schema=kinds)


PATHS = ["msdyn_project.msdyn_projectnumber", "msdyn_project.msdyn_owningcompany.cdm_companycode"]


def tasks(*projects: str | None) -> pa.Table:
    return pa.table(
        {
            "_id": [str(number) for number in range(len(projects))],
            "msdyn_project": pa.array(projects, pa.string()),
        }
    )


async def test_paths_are_followed_hop_by_hop_and_stay_aligned() -> None:
    rows = await Lookups(Reads()).add("msdyn_projecttask", tasks("p2", None, "p1", "p2", "p3", "gone"), PATHS)
    assert rows[PATHS[0]].to_pylist() == ["PRJ-2", None, "PRJ-1", "PRJ-2", "PRJ-3", None]
    assert rows[PATHS[1]].to_pylist() == ["demf", None, "uspm", "demf", None, None]


async def test_each_row_is_read_once_a_run_and_only_if_it_occurs() -> None:
    reads = Reads()
    lookups = Lookups(reads)
    await lookups.add("msdyn_projecttask", tasks("p1", "p1", "gone"), PATHS)
    await lookups.add("msdyn_projecttask", tasks("p1", "p2", "gone"), PATHS)
    assert reads.asked == [
        ("msdyn_project", ("p1", "gone")),
        ("cdm_company", ("c1",)),
        ("msdyn_project", ("p2",)),
        ("cdm_company", ("c2",)),
    ]


async def test_rows_without_any_reference_ask_for_nothing_but_have_the_columns() -> None:
    reads = Reads()
    rows = await Lookups(reads).add("msdyn_projecttask", tasks(None, None), PATHS)
    assert [rows[path].to_pylist() for path in PATHS] == [[None, None], [None, None]]
    assert all(not ids for _, ids in reads.asked)


async def test_a_guid_held_as_text_leads_on_in_any_form_and_any_other_text_leads_nowhere() -> None:
    actual = "336a06e0-10d8-58a6-8130-d9a27a503056"
    asked: list[Sequence[str]] = []

    async def read(table: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        asked.append((table, *ids))
        rows = {"_id": [actual], "msdyn_skipsync": [False]}
        return pa.table({name: rows[name] for name in ("_id", *columns)})

    texts = [actual, "{" + actual.upper() + "}", "not a GUID", None]
    rows = pa.table({"_id": ["1", "2", "3", "4"], "msdyn_transaction1": pa.array(texts, pa.string())})
    path = "msdyn_transaction1.msdyn_skipsync"
    found = await Lookups(read).add("msdyn_transactionconnection", rows, [path])
    assert found[path].to_pylist() == [False, False, None, None]
    assert asked == [("msdyn_actual", actual)]
    assert found["msdyn_transaction1"].to_pylist() == texts


async def test_of_very_many_rows_some_are_forgotten_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projops.extract.lookups.MOST_REMEMBERED", 1)
    reads = Reads()
    lookups = Lookups(reads)
    for projects in (("p1", "p2"), ("p1",)):
        rows = await lookups.add("msdyn_projecttask", tasks(*projects), PATHS)
        assert rows[PATHS[0]].to_pylist() == [PROJECTS[each][0] for each in projects]
    assert [ids for table, ids in reads.asked if table == "msdyn_project"] == [("p1", "p2"), ("p1",)]
