"""What a version of a mapping says that the one before did not."""

from projops.mapping.versions import Difference, compared

OLD = {"where": "all rows", "column Name": "from name", "column Fax": "from fax"}
NEW = {"where": "all rows", "column Name": "from name; cut to 60 characters", "column Phone": "from phone"}


def test_each_entry_that_differs_is_named_with_both_wordings() -> None:
    found = compared(OLD, NEW)
    assert found == (
        Difference("column Name", "from name", "from name; cut to 60 characters"),
        Difference("column Phone", None, "from phone"),
        Difference("column Fax", "from fax", None),
    )
    assert [each.what for each in found] == ["changed", "added", "removed"]


def test_the_same_has_no_differences() -> None:
    assert compared(OLD, dict(reversed(OLD.items()))) == ()
