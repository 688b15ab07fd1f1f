from sandbox.finance.packages.groups import SETS
from sandbox.finance.references import REFERENCES
from sandbox.schema.load import load_finance


def test_references_name_columns_that_exist() -> None:
    sets = {**load_finance(), **{table.name: table for table in SETS}}
    for it in REFERENCES:
        child, parent = sets[it.child], sets[it.parent]
        ours = {it.column, *it.also, *(it.only_if or ())[:1]}
        assert ours <= set(child.columns), it
        assert {it.parent_column, *it.also.values()} <= set(parent.columns), it
        if it.only_if is not None:
            options = {option.label for option in child.columns[it.only_if[0]].options}
            assert it.only_if[1] in options
