import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from projops.cli import main
from projops.engine import Engine
from projops.payload import payload_text
from projops.run import LegRef, RunRequest
from projops.state import StateStore, conflicts, dead_letters
from projops.state.audit import actions
from projops.state.conflicts import Conflict
from projops.state.dead_letters import Letter, Origin

Output = tuple[int, str, str]
CommandLine = Callable[..., Output]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateStore]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    monkeypatch.setenv("PROJOPS_STATE_URL", url)
    monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("COLUMNS", "250")
    for name in ("DATAVERSE", "FINANCE"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}_DEFAULT", raising=False)
    state = StateStore(url)
    state.prepare()
    yield state
    state.close()


@pytest.fixture
def projops(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    del store

    def run(*arguments: str) -> Output:
        monkeypatch.setattr("sys.argv", ["projops", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(str(ended.value.code or 0)), captured.out, captured.err

    return run


def test_dead_letters_are_listed_and_shown_whole(store: StateStore, projops: CommandLine) -> None:
    origin = Origin("projects", "dataverse_to_finance", 1, "1.0.0.3")
    letter = Letter("guid-1", '["p1","uspm"]', "open", "validate", "required", "ProjectName is empty.")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])
    assert "ProjectName is empty." in projops("dead-letters", "list")[1]
    assert projops("dead-letters", "list", "customers")[1].strip() == "No row of customers is set aside."
    (listed,) = json.loads(projops("dead-letters", "list", "--json")[1])
    (shown,) = json.loads(projops("dead-letters", "show", str(listed["id"]), "--json")[1])
    assert shown == listed
    assert shown["source_id"] == "guid-1"


def test_what_a_terminal_would_obey_is_written_out(store: StateStore, projops: CommandLine) -> None:
    origin = Origin("projects", "dataverse_to_finance", 1, "1.0.0.3")
    letter = Letter("guid-1", None, "open", "load", "refused", "Finance says: \x1b[2J\x9bgone\r.")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])
    told = projops("dead-letters", "list")[1]
    assert r"\x1b[2J\x9bgone\x0d." in told
    assert not {"\x1b", "\x9b", "\r"} & set(told)


def test_bytes_that_are_no_text_are_refused_in_a_sentence(projops: CommandLine) -> None:
    sentence = "Argument 3 is no text in UTF-8. Write it in UTF-8.\n"
    assert projops("trace", "any", "\udcff") == (1, "", sentence)


def test_a_documented_error_is_shown_with_its_meaning_and_remedy(
    store: StateStore, projops: CommandLine
) -> None:
    _refused(store)
    (listed,) = json.loads(projops("dead-letters", "list", "actuals", "--json")[1])
    assert listed["rule"] == "E6"
    assert listed["meaning"].startswith("Finance has no line property")
    assert listed["remedy"].startswith("Set up the line properties")
    assert "Set up the line properties" in projops("dead-letters", "list")[1].replace("\n", " ")
    assert "no line property for the billing type" in projops("dead-letters", "show", "1")[1]


def test_a_dead_letter_is_replayed_and_dismissed(store: StateStore, projops: CommandLine) -> None:
    _refused(store)
    done = projops("dead-letters", "replay", "--error", "E6")
    assert done[1] == "1 go with the next run; now: projops sync actuals\n"
    marked = json.loads(projops("dead-letters", "replay", "1", "--json")[1])
    assert marked == {"marked": [1], "count": 1, "maps": ["actuals"], "left": {}}
    assert projops("dead-letters", "replay", "--map", "projects")[1].startswith("No live dead letter fits")
    assert projops("dead-letters", "replay", "--all")[1].startswith("1 go")
    assert projops("dead-letters", "dismiss", "1", "--reason", "A test")[1] == "1 dismissed: 1.\n"
    assert projops("dead-letters", "list")[1].strip() == "No row is set aside."


def test_values_of_a_row_are_hidden_unless_asked_for_and_then_it_is_noted(
    store: StateStore, projops: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = Origin("workers", "finance_to_dataverse", 1, "1.0.0.3")
    row = {"FirstName": "Ada", "Salary": Decimal("12.50")}
    letter = Letter(
        "w", '["1"]', "open", "validate", "length", "Too long.", value="Ada L", payload=payload_text(row)
    )
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])
    for command in (("list",), ("list", "--json"), ("show", "1"), ("show", "1", "--json")):
        assert "Ada" not in projops("dead-letters", *command)[1]
    monkeypatch.setenv("PROJOPS_ACTOR", "anna")
    (shown,) = json.loads(projops("dead-letters", "show", "1", "--values", "--json")[1])
    assert (shown["value"], shown["payload"]) == ("Ada L", {"FirstName": "Ada", "Salary": "12.50"})
    assert "Ada" in projops("dead-letters", "show", "1", "--values")[1]
    with store.begin() as connection:
        noted = [(each["actor"], each["action"], each["subject"]) for each in actions(connection)]
    assert noted == [("anna", "reveal", "dead letter 1")] * 2


def test_a_table_shows_texts_as_they_are_and_a_pipe_gets_a_line_a_row(
    store: StateStore, projops: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"[red]Large[/] [/x] :smile: {'long ' * 80}end"
    origin = Origin("workers", "finance_to_dataverse", 1, "1.0.0.3")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [Letter("w", "[b]", "open", "validate", "length", text)])
    monkeypatch.delenv("COLUMNS")
    [line] = [each for each in projops("dead-letters", "list")[1].splitlines() if "workers" in each]
    assert text in line
    assert "[b]" in line


def test_a_delete_that_waits_is_approved(store: StateStore, projops: CommandLine) -> None:
    origin = Origin("funding_sources", "dataverse_to_finance", 1, "1.0.0.3")
    letter = Letter("g", '["a"]', "awaiting_approval", "load", "mass_delete", "One of 500 deletes.")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])
    assert "approve or dismiss it" in projops("dead-letters", "replay", "1")[1]
    assert "`projops dead-letters approve 1`" in projops("dead-letters", "show", "1")[1]
    done = projops("dead-letters", "approve", "--map", "funding_sources")[1]
    assert done == "1 go with the next run; now: projops sync funding_sources\n"
    assert "has approved it" in projops("dead-letters", "show", "1")[1]


@pytest.mark.parametrize("goes", [True, False])
def test_a_replay_may_run_the_leg_at_once_and_says_what_became_of_it(
    store: StateStore, projops: CommandLine, monkeypatch: pytest.MonkeyPatch, goes: bool
) -> None:
    _refused(store)

    def move(engine: Engine, request: RunRequest, wanted: Callable[[LegRef], bool], *, quiet: bool) -> None:
        assert quiet
        assert request.maps == ("actuals",)
        assert wanted(LegRef("actuals", "dataverse_to_finance"))
        assert not wanted(LegRef("actuals", "finance_to_dataverse"))
        if goes:
            with engine.state.begin() as connection:
                dead_letters.resolve(
                    connection, "actuals", "dataverse_to_finance", ["guid-1"], "moved by batch 2"
                )

    monkeypatch.setattr("projops.commands.letters.move", move)
    code, out, err = projops("dead-letters", "replay", "1", "--run", "--json")
    (became,) = json.loads(out)["became"]
    if goes:
        assert (code, became["status"], became["because"]) == (0, "resolved", "moved by batch 2")
    else:
        assert (code, became["status"], err) == (1, "open", "1 of 1 did not go: 1.\n")


def test_deletes_are_approved_by_rule(store: StateStore, projops: CommandLine) -> None:
    origin = Origin("units", "dataverse_to_finance", 1, "1.0")
    letters = [
        Letter(rule, f'["{rule}"]', "awaiting_approval", "load", rule, "A delete.")
        for rule in ("mass_delete", "unknown_at_source")
    ]
    with store.begin() as connection:
        dead_letters.record(connection, origin, letters)
    approved = json.loads(projops("dead-letters", "approve", "--error", "mass_delete", "--json")[1])
    with store.begin() as connection:
        by_rule = {row["rule"]: row["approved_at"] for row in dead_letters.live(connection, "units")}
    assert len(approved["marked"]) == 1
    assert by_rule["mass_delete"] is not None
    assert by_rule["unknown_at_source"] is None


def test_a_replay_says_what_it_leaves(store: StateStore, projops: CommandLine) -> None:
    origin = Origin("actuals", "finance_to_dataverse", 0, "1.0.0.22")
    letter = Letter("message 1", '["a","uspm"]', "open", "finance", "E11", "No relationship.")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])
    lines = projops("dead-letters", "replay", "1")[1].splitlines()
    assert lines[0] == "0 go with the next run"
    assert lines[1].startswith("1 stays. It is closed by itself once the job in Finance passes")


def _refused(store: StateStore) -> None:
    origin = Origin("actuals", "dataverse_to_finance", 1, "1.0.0.22")
    letter = Letter("guid-1", '["a","uspm"]', "open", "load", "E6", "Line property Chargeable doesn't exist.")
    with store.begin() as connection:
        dead_letters.record(connection, origin, [letter])


def test_a_paused_map_is_refused_until_it_is_resumed(
    projops: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJOPS_ACTOR", "anna")
    assert projops("pause", "customers", "--reason", "Cleaning up")[1] == "Paused: customers.\n"
    code, out, err = projops("sync", "units", "customers")
    assert (code, out) == (1, "")
    assert err.startswith("Map customers is paused by anna since ")
    done = json.loads(projops("resume", "customers", "vendors", "--json")[1])
    assert done == {"resumed": ["customers"], "left": {"vendors": "It is not paused."}, "writers": {}}
    assert projops("sync", "customers")[2].startswith("Connection dataverse_default is not defined.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dead-letters", "show", "7"], "There is no dead letter 7."),
        (
            ["dead-letters", "replay"],
            "It is not said which dead letters. Give numbers",
        ),
        (["dead-letters", "approve", "--all", "7"], "Numbers and all together are a contradiction."),
        (["dead-letters", "replay", "7"], "There is no dead letter 7. `projops dead-letters list`"),
        (["dead-letters", "approve", "7", "8"], "There is no dead letter 7, 8."),
        (["dead-letters", "dismiss", "7", "--reason", "x"], "There is no dead letter 7."),
        (["dead-letters", "dismiss", "7", "--reason", " "], "A dismissal needs a reason."),
        (["sync", "nowhere"], "There is no map nowhere. `projops maps list` shows"),
        (["plan", "nowhere"], "There is no map nowhere. `projops maps list` shows"),
        (["pause", "--reason", "x"], "No map is named. Name maps, or an area with --area."),
        (["sync", "units", "--dry-run", "--company", "USPM"], "A dry run is for all companies"),
        (["sync", "customers"], "Connection dataverse_default is not defined."),
    ],
)
def test_a_mistake_is_one_sentence(projops: CommandLine, arguments: list[str], sentence: str) -> None:
    code, out, err = projops(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_conflicts_tell_both_values_only_when_asked_and_how_to_undo_them(
    store: StateStore, projops: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No column was in conflict" in projops("conflicts", "list")[1]
    monkeypatch.setenv("PROJOPS_ACTOR", "pat")
    origin = Origin("customers", "finance_to_dataverse", 7, "1.0.0.0")
    contested = Conflict("k1", "finance", {"name": "Theirs"}, {"name": "Ours"})
    with store.begin() as connection:
        conflicts.record(connection, origin, [contested])
    [line] = json.loads(projops("conflicts", "list", "customers", "--json")[1])
    facts = (line["key"], line["column"], line["winner"], line["batch"])
    assert facts == ("k1", "name", "finance", 7)
    masked = projops("conflicts", "show", "1")[1]
    assert "Ours" not in masked + str(line)
    assert "change name of this row in Dataverse once more" in masked
    with store.begin() as connection:
        assert actions(connection) == []
    [shown] = json.loads(projops("conflicts", "show", "1", "--values", "--json")[1])
    assert (shown["dataverse held"], shown["finance held"]) == ({"name": "Ours"}, {"name": "Theirs"})
    [line] = json.loads(projops("conflicts", "list", "--values", "--json")[1])
    assert (line["dataverse"], line["finance"]) == ("Ours", "Theirs")
    with store.begin() as connection:
        told = [(each["actor"], each["action"], each["subject"]) for each in actions(connection)]
    assert told == [("pat", "reveal", "conflicts of all maps"), ("pat", "reveal", "conflict 1")]
    assert "There is no conflict 2" in projops("conflicts", "show", "2")[2]
