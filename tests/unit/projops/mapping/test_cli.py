import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from projops.mapping.cli import app

from .conftest import GOOD_MAP, Write

RUN = CliRunner()


@pytest.fixture(autouse=True)
def settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJOPS_MAPPINGS", str(folder))
    monkeypatch.setenv("PROJOPS_EXPECTATIONS", str(folder.parent / "expectations"))


def test_list_shows_broken_maps_too(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    write("reference_data/vendors", "map: [")
    listed = json.loads(RUN.invoke(app, ["list", "--json"]).stdout)
    assert [each["map"] for each in listed] == ["customers", "vendors"]
    assert listed[1]["findings"][0]["line"] == 1
    assert "broken" in RUN.invoke(app, ["list"]).stdout


def test_list_says_which_maps_are_off(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP + "enabled: false\n")
    assert json.loads(RUN.invoke(app, ["list", "--json"]).stdout)[0]["enabled"] is False
    assert "off" in RUN.invoke(app, ["list"], env={"COLUMNS": "200"}).stdout


def test_show_gives_key_and_fields(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    shown = json.loads(RUN.invoke(app, ["show", "customers", "--json"]).stdout)
    assert shown["key"]["CustomerAccount"] == "accountnumber"
    assert shown["legs"]["finance_to_dataverse"]["fields"]["name"] == {
        "from": "OrganizationName",
        "required": True,
    }
    assert "OrganizationName" in RUN.invoke(app, ["show", "customers"], env={"COLUMNS": "200"}).stdout


def test_show_says_what_is_wrong_with_a_broken_or_unknown_map(write: Write) -> None:
    write("reference_data/vendors", "map: [")
    broken = RUN.invoke(app, ["show", "vendors"])
    assert broken.exit_code == 1
    assert "vendors.yaml:1: The YAML cannot be read" in broken.stderr
    assert RUN.invoke(app, ["show", "nothing"]).exit_code == 2


def test_lint_is_silent_and_0_when_all_is_well(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    done = RUN.invoke(app, ["lint"])
    assert (done.exit_code, done.stdout) == (0, "")


def test_lint_exits_1_with_file_line_message_and_remedy(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP.replace("dataverse: account", "dataverse: accounts"))
    done = RUN.invoke(app, ["lint"])
    assert done.exit_code == 1
    assert done.stdout == (
        "include/mappings/reference_data/customers.yaml:5: The catalog has no dataverse table accounts. "
        "Correct the name, or add the table to the catalog.\n"
    )
    assert json.loads(RUN.invoke(app, ["lint", "--json"]).stdout)[0]["line"] == 5


def test_lint_reads_expectations_too(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    expectations = folder.parent / "expectations"
    expectations.mkdir()
    (expectations / "nothing.yaml").write_text("map: nothing\n")
    assert "There is no good map nothing" in RUN.invoke(app, ["lint"]).stdout


def test_diff_names_what_changed_against_another_folder(tmp_path: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP.replace("1.0.0.1", "1.0.0.2"))
    other = tmp_path / "old" / "mappings"
    (other / "reference_data").mkdir(parents=True)
    (other / "reference_data" / "customers.yaml").write_text(GOOD_MAP)
    done = RUN.invoke(app, ["diff", "customers", "--against", str(other), "--json"])
    assert json.loads(done.stdout) == {
        "customers": [{"entry": "version", "old": "1.0.0.1", "new": "1.0.0.2"}]
    }
    same = RUN.invoke(app, ["diff", "--against", str(tmp_path / "include" / "mappings")])
    assert same.stdout.startswith("Nothing differs from")


def test_diff_refuses_what_is_neither_folder_nor_revision(write: Write) -> None:
    write("reference_data/customers", GOOD_MAP)
    assert RUN.invoke(app, ["diff", "--against", "no-such-revision"]).exit_code == 2


def test_docs_writes_the_maps_and_what_they_leave_out(tmp_path: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP + "# left out: PaymentTerms (no table)\n")
    path = tmp_path / "mappings.md"
    assert RUN.invoke(app, ["docs", str(path)]).exit_code == 0
    text = path.read_text(encoding="utf-8")
    assert "| name (required) | OrganizationName |  | DOC P5 |" in text
    assert "- PaymentTerms (no table)" in text


def test_docs_say_which_field_is_written_at_creation_only(tmp_path: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP.replace("required: true", "required: true, create_only: true"))
    path = tmp_path / "mappings.md"
    assert RUN.invoke(app, ["docs", str(path)]).exit_code == 0
    assert "| name (required) (create only) | OrganizationName |" in path.read_text(encoding="utf-8")
    (shown,) = json.loads(RUN.invoke(app, ["show", "customers", "--json"]).stdout)["legs"].values()
    assert shown["fields"]["name"] == {"from": "OrganizationName", "required": True, "create_only": True}


def test_show_says_above_which_deletes_people_are_asked(write: Write) -> None:
    own = "strategy: snapshot}\n    deletes: propagate\n    approve_deletes_above: {rows: 7}"
    write("reference_data/customers", GOOD_MAP.replace("strategy: incremental_export}", own))
    shown = RUN.invoke(app, ["show", "customers"], env={"COLUMNS": "200"}).stdout
    assert "deletes propagate (asked about above 7 rows)" in shown
