"""Links and entities name what the catalog has, and lead through lookups that are there."""

import pytest

from projops.lineage.trace import entities
from projops.lineage.trace.entities import entity_of, remark_of
from projops.lineage.trace.kinds import KINDS
from projops.lineage.trace.links import belongings, parts, provenance
from projops.lineage.trace.records import Entity, Link
from projops.mapping.catalog import resolve
from projops.mapping.model import System
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
LINKS = (*provenance(MAPS.values()), *belongings())
ENTITIES = [value for value in vars(entities).values() if isinstance(value, Entity)]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.child.name}-{link.how}-{link.parent.name}")
def test_a_link_compares_columns_that_there_are(link: Link) -> None:
    assert len(link.child_columns) == len(link.parent_columns) > 0
    for entity, columns in ((link.child, link.child_columns), (link.parent, link.parent_columns)):
        for path in columns:
            assert resolve(entity.table, path).column


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: str(entity.name))
def test_an_entity_tells_of_columns_that_there_are_and_each_is_fact_or_value(entity: Entity) -> None:
    assert {*entity.facts, *entity.values, *entity.key} <= set(entity.table.columns)
    assert not set(entity.facts) & set(entity.values)
    assert entity_of(entity.system, entity.name) is entity


def test_names_texts_and_amounts_are_values() -> None:
    telling = ("name", "description", "amount", "price", "text", "subject", "purpose", "quantity", "duration")
    for entity in ENTITIES:
        assert not [fact for fact in entity.facts if fact.lower().endswith(telling)], entity.name


def test_both_sides_of_every_map_are_linked_the_side_that_is_written_as_the_child() -> None:
    pairs = {
        link.how.split()[3]: link for link in provenance(MAPS.values()) if link.how.startswith("written")
    }
    assert set(pairs) == set(MAPS)
    assert pairs["actuals"].child.system is System.FINANCE
    assert pairs["expenses"].child.system is System.DATAVERSE
    assert pairs["vendor_invoices"].child.system is System.DATAVERSE
    assert pairs["projects"].parent_columns == (
        "msdyn_projectnumber",
        "msdyn_owningcompany.cdm_companycode",
    )


@pytest.mark.parametrize(
    ("first", "second", "later"),
    [
        ("Unbilled Sales", "Cost", 1),
        ("Cost", "Unbilled Sales", 2),
        ("Billed Sales", "Unbilled Sales", 1),
        ("Reversing", "Original", 1),
        ("Original", "Replacing", 2),
        ("Inter-Organizational Sales", "Resourcing Unit Cost", 1),
    ],
)
def test_of_two_connected_actuals_the_later_follows_whichever_end_it_has(
    first: str, second: str, later: int
) -> None:
    connection = {"msdyn_transaction1role": first, "msdyn_transaction2role": second}
    ends = {
        link.parent_columns[0]: link.parent_when
        for link in LINKS
        if link.child is entities.ACTUAL and link.parent is entities.CONNECTION
    }
    follows = {column for column, when in ends.items() if when is not None and when(connection)}
    assert follows == {f"msdyn_transaction{later}"}


def test_what_a_number_may_be_of_stands_where_it_is_looked_for() -> None:
    for kind in KINDS.values():
        assert kind.documents or kind.maps
        assert set(kind.maps) <= set(MAPS)
        for entity, column in kind.documents:
            assert column in entity.table.columns
    assert all(link in LINKS for link in parts())


def test_a_line_for_the_ledger_alone_says_so() -> None:
    assert "fee or a discount" in remark_of(entities.JOURNAL_LINE, {"ActualsImportId": None})
    assert remark_of(entities.JOURNAL_LINE, {"ActualsImportId": "a"}) == ""
    assert remark_of(entities.STAGED, {"ActualsImportId": None}) == ""
