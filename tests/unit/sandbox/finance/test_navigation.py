"""Navigation properties of Finance: they lead there and back, and no name means two things."""

from sandbox.finance.navigation import navigation_properties
from sandbox.finance.packages.groups import SETS
from sandbox.finance.references import REFERENCES
from sandbox.schema import load_finance

ENTITIES = {**load_finance(), **{table.name: table for table in SETS}}


def test_each_reference_is_a_way_there_and_back() -> None:
    ways = {name: navigation_properties(ENTITIES, table) for name, table in ENTITIES.items()}
    assert sum(len(each) for each in ways.values()) == 2 * len(REFERENCES)
    for name, each in ways.items():
        for way in each.values():
            back = ways[way.target][way.partner]
            assert (back.target, back.partner) == (name, way.name)
            assert back.collection is not way.collection
            assert back.pairs == tuple((theirs, ours) for ours, theirs in way.pairs)


def test_no_navigation_property_has_the_name_of_a_column() -> None:
    for table in ENTITIES.values():
        assert not set(navigation_properties(ENTITIES, table)) & set(table.columns), table.name


def test_the_columns_of_a_way_are_there() -> None:
    for table in ENTITIES.values():
        for way in navigation_properties(ENTITIES, table).values():
            for ours, theirs in way.pairs:
                assert ours in table.columns
                assert theirs in ENTITIES[way.target].columns
