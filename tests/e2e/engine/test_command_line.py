"""Every verb of the command line: what it does to the state and to both systems, and what it refuses.

A verb without a line in the table fails a test.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.main import get_command

from projops.cli import app, main
from projops.mapping.model import System
from projops.state import conflicts, dead_letters
from projops.state.conflicts import Conflict
from projops.state.dead_letters import Letter, Origin
from tests.e2e.engine import rows
from tests.e2e.engine.conftest import Kept
from tests.e2e.engine.world import TOKEN, World, opened
from tests.receivers import webhook

ACTOR = "a person at a terminal"
ORIGIN = Origin("resource_roles", "dataverse_to_finance", 1, "1.0")
KEPT = ("batch", "crosswalk", "dead_letter", "conflict", "pause", "audit", "reconciliation", "alert")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def shared_world(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One map in step is enough, and SQLite: the engine below the commands has tests of its own."""
    with opened(kept.new_databases("sqlite", None), tmp_path_factory.mktemp("world")) as world:
        world.sync("resource_roles")
        yield world


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give the command line in the environment of the running sandbox."""
    for system in System:
        connection = world.connection(system)
        parts = {"conn_type": system.value, "host": connection.base_url, "extra": {"token": TOKEN}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{system.value.upper()}_DEFAULT", json.dumps(parts))
    monkeypatch.setenv("PROJOPS_STATE_URL", world.settings.state_url)
    monkeypatch.setenv("PROJOPS_STAGING", world.settings.staging)
    monkeypatch.setenv("PROJOPS_ACTOR", ACTOR)
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["projops", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody answers a question
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Ended(int(str(ended.value.code or 0)), told.out, told.err)

    return run


def standing(world: World) -> Mapping[str, Any]:
    """What the state holds, told by plain SQL: the rows of each table in numbers, and every audit line."""
    numbers = {table: world.sql(f"select count(*) as n from {table}")[0]["n"] for table in KEPT}
    return {**numbers, "audited": audited(world)}


def audited(world: World) -> list[tuple[str, str, str]]:
    found = world.sql(
        "select action, subject, reason from audit where actor = :actor order by id", actor=ACTOR
    )
    return [(each["action"], each["subject"], each["reason"]) for each in found]


def letter(world: World, status: str = "open") -> int:
    """Set a row aside that neither system has; give its number."""
    key = rows.fresh("GONE")
    made = Letter(str(uuid4()), f'["{key.lower()}"]', status, "load", "E6", "Refused.", value="Ada")
    with world.engine() as engine, engine.state.begin() as connection:
        dead_letters.record(connection, ORIGIN, [made])
    return int(world.sql("select max(id) as n from dead_letter")[0]["n"])


def status_of(world: World, number: int) -> str:
    return str(world.sql("select status from dead_letter where id = :number", number=number)[0]["status"])


def sync(run: Run, world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    [outcome] = run("sync", "resource_roles", "--leg", "dataverse_to_finance", "--json").json
    assert (outcome["map"], outcome["loaded"]) == ("resource_roles", 1)
    assert rows.role_at_finance(world, number) is not None


def plan(run: Run, world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    before = standing(world)
    [leg] = run("plan", "resource_roles", "--leg", "dataverse_to_finance", "--json").json
    assert leg["create"] == 1
    assert (standing(world), rows.role_at_finance(world, number)) == (before, None)
    run("plan", "resource_roles", "--leg", "dataverse_to_finance", "--values")
    assert audited(world)[-1][:2] == ("reveal", "plan of resource_roles")


def pause(run: Run, world: World) -> None:
    assert run("pause", "vendors", "--reason", "month end", "--json").json["paused"] == ["vendors"]
    assert audited(world)[-1] == ("pause", "vendors", "month end")
    assert run("sync", "vendors").code == 1
    run("resume", "vendors")


def resume(run: Run, world: World) -> None:
    run("pause", "vendors", "--reason", "month end")
    assert run("resume", "vendors", "--reason", "done", "--json").json["resumed"] == ["vendors"]
    assert audited(world)[-1] == ("resume", "vendors", "done")
    assert world.sql("select map from pause where resumed_at is null") == []


def replay(run: Run, world: World) -> None:
    number = letter(world)
    assert run("dead-letters", "replay", str(number), "--json").json["marked"] == [number]
    assert audited(world)[-1][:2] == ("replay", f"dead letter {number} of resource_roles")
    run("dead-letters", "replay", str(number), "--run")
    assert status_of(world, number) == "resolved"  # the row is in neither system any more


def approve(run: Run, world: World) -> None:
    number = letter(world, "awaiting_approval")
    assert run("dead-letters", "approve", str(number), "--json").json["marked"] == [number]
    assert audited(world)[-1][:2] == ("approve", f"dead letter {number} of resource_roles")
    close(world, number)


def dismiss(run: Run, world: World) -> None:
    number = letter(world)
    assert run("dead-letters", "dismiss", str(number), "--reason", "a test", "--json").json["count"] == 1
    assert audited(world)[-1] == ("dismiss", f"dead letter {number} of resource_roles", "a test")
    assert status_of(world, number) == "dismissed"


def close(world: World, number: int) -> None:
    world.sql("update dead_letter set status = 'dismissed' where id = :number", number=number)


def list_letters(run: Run, world: World) -> None:
    number = letter(world)
    assert number in [each["id"] for each in run("dead-letters", "list", "resource_roles", "--json").json]
    assert f" {number} " in run("dead-letters", "list").out
    close(world, number)


def show_letter(run: Run, world: World) -> None:
    number = letter(world)
    assert "Ada" not in run("dead-letters", "show", str(number), "--json").out
    [shown] = run("dead-letters", "show", str(number), "--values", "--json").json
    assert shown["value"] == "Ada"
    assert audited(world)[-1][:2] == ("reveal", f"dead letter {number}")
    close(world, number)


def contested(world: World) -> int:
    with world.engine() as engine, engine.state.begin() as connection:
        conflicts.record(
            connection, ORIGIN, [Conflict("k1", "finance", {"name": "Theirs"}, {"name": "Ours"})]
        )
    return int(world.sql("select max(id) as n from conflict")[0]["n"])


def list_conflicts(run: Run, world: World) -> None:
    number = contested(world)
    assert number in [each["id"] for each in run("conflicts", "list", "resource_roles", "--json").json]


def show_conflict(run: Run, world: World) -> None:
    number = contested(world)
    assert "Ours" not in run("conflicts", "show", str(number), "--json").out
    assert "Ours" in run("conflicts", "show", str(number), "--json", "--values").out
    assert audited(world)[-1][:2] == ("reveal", f"conflict {number}")


def reconcile(run: Run, world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    world.forth("resource_roles")
    assert run("reconcile", "resource_roles", "--json").json["drift"] == 0
    world.remove("ResourceCategoriesShared", {"RoleId": number})
    drifted = run("reconcile", "resource_roles", "--json")
    assert (drifted.code, drifted.json["drift"]) == (3, 1)
    mended = run("reconcile", "resource_roles", "--repair", "--json")
    assert (mended.code, mended.json["drift"]) == (0, 0)
    assert rows.role_at_finance(world, number) is not None
    assert "repair" in [action for action, _, _ in audited(world)]


def restore(run: Run, world: World) -> None:
    assert "resource_roles__dataverse_to_finance" in run("restore", "--yes", "--json").json["from_watermark"]
    assert audited(world)[-1][:2] == ("restore", "the state database")


def clean(run: Run, world: World) -> None:
    number = letter(world)
    close(world, number)
    world.sql("update dead_letter set closed_at = '2020-01-01 00:00:00' where id = :number", number=number)
    before = standing(world)
    assert run("clean", "--dry-run", "--json").code == 0
    assert standing(world) == before
    assert run("clean", "--json").code == 0
    assert world.sql("select id from dead_letter where id = :number", number=number) == []


def trace(run: Run, world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    world.forth("resource_roles")
    before = standing(world)
    assert number.lower() in run("trace", "resource_roles", number, "--json").out.lower()
    assert standing(world) == before


def status(run: Run, world: World) -> None:
    unchanged(run, world, "status")
    assert {each["map"] for each in run("status", "--json").json["legs"]} >= {"resource_roles", "customers"}


def audit(run: Run, world: World) -> None:
    run("pause", "vendors", "--reason", "for the trail")
    run("resume", "vendors")
    told = run("audit", "--action", "pause", "--limit", "1", "--json").json
    assert (told[0]["actor"], told[0]["reason"]) == (ACTOR, "for the trail")
    unchanged(run, world, "audit")


def written(*verb: str) -> Callable[[Run, World], None]:
    def does(run: Run, world: World) -> None:
        before, file = standing(world), Path(world.settings.staging) / "written.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        assert run(*verb, str(file)).code == 0
        assert file.read_text().startswith("# ")
        assert standing(world) == before

    return does


def reads(*verb: str) -> Callable[[Run, World], None]:
    return lambda run, world: unchanged(run, world, *verb)


def unchanged(run: Run, world: World, *verb: str) -> None:
    """It answers, also in JSON, and neither state nor systems are other than before."""
    before = standing(world)
    world.forget_requests()
    told, plain = run(*verb, "--json"), run(*verb)
    assert (told.code, plain.code, plain.err) == (0, 0, ""), told.err + plain.err
    assert told.json is not None
    assert plain.out.strip()
    assert (standing(world), world.writes()) == (before, [])


def register(run: Run, world: World) -> None:
    """Steps of every table that a map reads, the secret shown to nobody; undone, nothing of ours is left."""
    secret = "s3cret-s3cret-s3cret"
    parts = {"conn_type": "generic", "host": "http://127.0.0.1:9", "password": secret}
    steps = "sdkmessageprocessingsteps"
    assert run("signals", "register").err.startswith("Connection projops_signals is not defined")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_PROJOPS_SIGNALS", json.dumps(parts))
        told = run("signals", "register", "--json")
        assert (told.code, secret in told.out) == (0, False), told.err
        registered = {each["name"] for each in world.dataverse_rows(steps)}
        assert registered == set(told.json["added"])
        assert "Project Operations Sync: Update of account" in registered
        assert "CustomersV3" in told.json["finance"]
        assert (audited(world)[-1][:2], secret in str(audited(world))) == (("register", "signals"), False)
        assert run("signals", "status", "--json").json["lacking"] == []
        assert set(run("signals", "unregister", "--json").json["removed"]) == registered
        assert world.dataverse_rows(steps) == world.dataverse_rows("serviceendpoints") == []
        assert run("signals", "status").code == 3


def unregister(run: Run, world: World) -> None:
    assert run("signals", "unregister", "--json").json["removed"] == []
    assert audited(world)[-1][:2] == ("unregister", "signals")


def try_channel(run: Run, world: World) -> None:
    before, file = standing(world), Path(world.settings.staging) / "alerts.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("channels: {chat: {type: slack, connection: chat}}\nrules: {}\n")
    with webhook() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROJOPS_ALERTS", str(file))
        patch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "http", "host": receiver.address}))
        assert run("alerts", "test", "chat").code == 0
        receiver.answers.append((404, {}, "no_service"))
        assert run("alerts", "test", "chat").code == 1
    assert (len(receiver.posts), standing(world)) == (2, before)


def lints(run: Run, world: World) -> None:
    before = standing(world)
    assert run("maps", "lint", "--json").json == []
    assert standing(world) == before


@dataclass(frozen=True)
class Verb:
    """What a verb does, and an example of what it refuses.

    Attributes:
        does: Runs it, and holds it against the state and both systems.
        refused: Arguments that it refuses.
        says: What it says then.
        code: How it ends then.
    """

    does: Callable[[Run, World], None]
    refused: tuple[str, ...]
    says: str
    code: int = 1


NO_MAP = "There is no map nowhere"
VERBS = {
    "sync": Verb(sync, ("nowhere",), NO_MAP),
    "plan": Verb(plan, ("nowhere",), NO_MAP),
    "status": Verb(status, ("--period", "October"), "October is no month"),
    "digest": Verb(reads("digest"), ("--more",), "No such option", 2),
    "trace": Verb(trace, ("resource_roles", "no-such-role"), "no-such-role"),
    "quality": Verb(reads("quality"), ("nowhere",), NO_MAP),
    "reconcile": Verb(reconcile, ("nowhere",), NO_MAP),
    "pause": Verb(pause, ("vendors", "--reason", " "), "reason"),
    "resume": Verb(resume, ("nowhere",), NO_MAP),
    "restore": Verb(restore, (), "Abort", 1),
    "clean": Verb(clean, ("--more",), "No such option", 2),
    "audit": Verb(audit, ("--limit", "0"), "greater than or equal to 1", 2),
    "docs": Verb(written("docs"), ("a", "b"), "unexpected extra argument", 2),
    "maps list": Verb(reads("maps", "list"), ("x",), "unexpected extra argument", 2),
    "maps show": Verb(reads("maps", "show", "resource_roles"), ("nowhere",), NO_MAP, 2),
    "maps lint": Verb(lints, ("x",), "unexpected extra argument", 2),
    "maps diff": Verb(reads("maps", "diff", "resource_roles"), ("nowhere",), NO_MAP, 2),
    "maps docs": Verb(written("maps", "docs"), ("a", "b"), "unexpected extra argument", 2),
    "maps profile": Verb(reads("maps", "profile", "resource_roles", "--rows", "5"), ("nowhere",), NO_MAP),
    "dead-letters list": Verb(list_letters, ("--status", "closed"), "Invalid value", 2),
    "dead-letters show": Verb(show_letter, ("999999",), "There is no dead letter 999999"),
    "dead-letters replay": Verb(replay, ("999999",), "There is no dead letter 999999"),
    "dead-letters approve": Verb(approve, ("999999",), "There is no dead letter 999999"),
    "dead-letters dismiss": Verb(dismiss, ("--all", "--reason", " "), "A dismissal needs a reason"),
    "conflicts list": Verb(list_conflicts, ("a", "b"), "unexpected extra argument", 2),
    "conflicts show": Verb(show_conflict, ("999999",), "There is no conflict 999999"),
    "signals status": Verb(reads("signals", "status"), ("x",), "unexpected extra argument", 2),
    "signals register": Verb(register, ("x",), "unexpected extra argument", 2),
    "signals unregister": Verb(unregister, ("x",), "unexpected extra argument", 2),
    "alerts list": Verb(reads("alerts", "list"), ("x",), "unexpected extra argument", 2),
    "alerts rules": Verb(reads("alerts", "rules"), ("x",), "unexpected extra argument", 2),
    "alerts test": Verb(try_channel, ("nowhere",), "There is no channel nowhere"),
}


def verbs(group: Any, *path: str) -> Iterator[str]:
    """Give all verbs that the command line has, from the commands themselves."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, *path, name)
        else:
            yield " ".join([*path, name])


def test_every_verb_is_in_the_table() -> None:
    assert set(verbs(get_command(app))) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_does_what_it_says(run: Run, world: World, verb: str) -> None:
    VERBS[verb].does(run, world)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_refuses_in_a_sentence_and_changes_nothing(run: Run, world: World, verb: str) -> None:
    before = standing(world)
    world.forget_requests()
    refused = run(*verb.split(), *VERBS[verb].refused)
    assert refused.code == VERBS[verb].code, refused.out + refused.err
    assert VERBS[verb].says in " ".join(refused.err.replace("│", " ").split())
    assert "Traceback" not in refused.err
    assert (standing(world), world.writes()) == (before, [])
