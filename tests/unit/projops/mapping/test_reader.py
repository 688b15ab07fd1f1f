from pathlib import Path

import pytest

from projops.mapping.map_file import read_map
from projops.mapping.model import Direction, KeyPart, Step, Strategy, WriteMode
from projops.mapping.reader import load_maps

from .conftest import GOOD_MAP, Write


def findings(path: Path) -> list[str]:
    table_map, found = read_map(path, path.name)
    assert table_map is None
    return [str(finding) for finding in found]


def test_a_map_is_read_whole(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    loaded = load_maps(folder)
    assert loaded.broken == ()
    table_map = loaded.maps["customers"]
    assert table_map.file == "include/mappings/reference_data/customers.yaml"
    assert table_map.key[1] == KeyPart("dataAreaId", "msdyn_company.cdm_companycode")
    assert table_map.companies is None
    leg = table_map.legs[Direction.FINANCE_TO_DATAVERSE]
    assert (leg.extract.strategy, leg.write) == (Strategy.INCREMENTAL_EXPORT, WriteMode.UPSERT)
    (rule,) = leg.fields
    assert (rule.target, rule.source, rule.required) == ("name", "OrganizationName", True)
    assert (rule.evidence, rule.line) == ("DOC P5", 16)
    assert not rule.create_only


def test_maps_are_read_again_when_one_of_their_files_has_changed(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    before = load_maps(folder)
    assert load_maps(folder) is before
    (folder / "_shared" / "companies.yaml").write_text("companies:\n  USPM: {zone: Europe/Berlin}\n")
    assert load_maps(folder).companies["uspm"].zone == "Europe/Berlin"
    write("reference_data/customers", GOOD_MAP.replace("1.0.0.1", "1.0.0.2"))
    assert load_maps(folder).maps["customers"].version == "1.0.0.2"
    (folder / "reference_data" / "customers.yaml").unlink()
    assert load_maps(folder).maps == {}


def test_operators_keep_their_order_and_line(folder: Path, write: Write) -> None:
    field = "      name: {from: OrganizationName, default: x, truncate: 160}\n"
    write("reference_data/customers", GOOD_MAP.replace(GOOD_MAP.splitlines(keepends=True)[-1], field))
    (rule,) = load_maps(folder).maps["customers"].legs[Direction.FINANCE_TO_DATAVERSE].fields
    assert rule.steps == (Step("default", "x", 16), Step("truncate", 160, 16))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("version: 1.0.0.1", "version: one", 3, "The version one is not dotted numbers."),
        ("title: Customers", "titel: Customers", 2, "A table map has the unknown key titel."),
        (
            "area: reference_data",
            "area: setup",
            4,
            "The folder is named reference_data, but `area:` says setup.",
        ),
        ("map: customers", "map: clients", 1, "The file is named customers, but `map:` says clients."),
        ("strategy: incremental_export", "strategy: guess", 14, "strategy of extract cannot be guess."),
        ("required: true", "required: yes", 16, "required of the field name must be true or false."),
        ("required: true", "create_only: 1", 16, "create_only of the field name must be true or false."),
        ("required: true", "trunc: 3", 16, "The field name has the unknown operator trunc."),
        ("required: true", "truncate: x", 16, "truncate of the field name takes a whole number"),
        ("required: true", "from: Other", 16, "The key from occurs twice."),
        (
            "required: true",
            "when: a eq",
            16,
            "when of the field name takes a condition: 'a eq' cannot be read",
        ),
        ("needs: []", "needs: companies", 10, "needs of the map must be a list of texts."),
        ("  finance_to_dataverse:", "  both:", 13, "Legs has the unknown key both."),
        ("finance: CustomersV3", "finance: [", 6, "The YAML cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    write: Write, old: str, new: str, line: int, message: str
) -> None:
    found = findings(write("reference_data/customers", GOOD_MAP.replace(old, new, 1)))
    assert any(each.startswith(f"customers.yaml:{line}: {message}") for each in found), found


def test_all_that_is_wrong_is_said_at_once(write: Write) -> None:
    text = GOOD_MAP.replace("version: 1.0.0.1", "version: x").replace("required: true", "round: -1")
    assert len(findings(write("reference_data/customers", text))) == 2


def test_a_broken_map_keeps_its_id_and_area_and_stops_no_other(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    write("reference_data/vendors", "map: [")
    loaded = load_maps(folder)
    assert list(loaded.maps) == ["customers"]
    (broken,) = loaded.broken
    assert (broken.map, broken.area) == ("vendors", "reference_data")
    assert broken.message.startswith(
        "include/mappings/reference_data/vendors.yaml:1: The YAML cannot be read"
    )
    assert broken.findings[0].as_error().line == 1


def test_an_id_that_two_files_take_breaks_the_second(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    write("setup/customers", GOOD_MAP.replace("area: reference_data", "area: setup"))
    loaded = load_maps(folder)
    assert [(broken.map, broken.area) for broken in loaded.broken] == [("customers", "setup")]
    assert "is taken by include/mappings/reference_data/customers.yaml" in loaded.broken[0].message


def test_an_empty_file_is_a_broken_map(folder: Path, write: Write) -> None:
    write("reference_data/customers", "")
    assert "The file is empty." in load_maps(folder).broken[0].message
