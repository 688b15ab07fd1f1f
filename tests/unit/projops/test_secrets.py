"""A secret stands in its connection and nowhere else: not in what is printed, logged, staged or kept."""

import ast
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from projops.cli import main
from projops.errors import ConfigurationError
from projops.systems.connection import from_environment

ROOT = Path(__file__).parents[3]
CLIENT_SECRET, TOKEN, PASSWORD = (
    "Pl4nted.Client~Secret",
    "pl4nted-t0ken-of-the-provider",
    "Pl4nted:Db@Password",
)
PLANTED = (CLIENT_SECRET, TOKEN, PASSWORD, "Pl4nted%3ADb%40Password")


class Echo(BaseHTTPRequestHandler):
    """Both systems and their identity provider: gives tokens, and repeats all that it is sent."""

    status = 401
    gives_tokens = True

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        if self.path.endswith("/token") and self.gives_tokens:
            self._answer(200, {"access_token": TOKEN, "expires_in": 3599})
        else:
            self._refuse(sent)

    def do_GET(self) -> None:
        self._refuse("")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _refuse(self, sent: str) -> None:
        echo = f"refused {self.headers['Authorization']} {CLIENT_SECRET} {sent}"
        self._answer(self.status, {"error": {"code": echo, "message": echo}, "error_description": echo})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


Told = Callable[..., str]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], echo: str
) -> Told:
    """Sync a map with planted secrets; give all that was said, logged and written about it."""

    def run(**environment: str) -> str:
        extra = {"tenant_id": "contoso", "authority": echo, "note": CLIENT_SECRET}
        fields = {"host": echo, "login": "client", "password": CLIENT_SECRET, "extra": extra}
        monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
        monkeypatch.setenv("PROJOPS_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
        for system in ("dataverse", "finance"):
            text = json.dumps({"conn_type": system} | fields)
            monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", text)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["projops", "sync", "units"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return output.out + output.err

    return run


def assert_kept_nowhere(said: str, caplog: pytest.LogCaptureFixture, folder: Path) -> None:
    files = "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
    for place in (said, caplog.text, files):
        assert [secret for secret in PLANTED if secret in place] == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_system_that_repeats_what_it_is_sent(
    status: int, told: Told, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr(Echo, "status", status)
    said = told()
    assert "dataverse_default" in said
    assert_kept_nowhere(said, caplog, tmp_path)


def test_an_identity_provider_that_repeats_what_it_is_sent(
    told: Told, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr(Echo, "gives_tokens", False)
    said = told()
    assert "refuses the client id or its secret" in said
    assert_kept_nowhere(said, caplog, tmp_path)


DATAVERSE, STATE = "AIRFLOW_CONN_DATAVERSE_DEFAULT", "PROJOPS_STATE_URL"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (DATAVERSE, f'{{"password": "{CLIENT_SECRET}"', "no valid JSON connection"),
        (DATAVERSE, f"dataverse://c:{CLIENT_SECRET}@h:no/?tenant_id=t", "connection URI"),
        (DATAVERSE, f"dataverse://c:{CLIENT_SECRET}@http://10.0.0.7", "Connection"),
        (STATE, f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/x", "state database"),
        (STATE, f"postgres://u:{PLANTED[3]}@127.0.0.1:1/x?connect_timeout=2", "cannot be opened"),
        (STATE, f"oracle:thin:u/{PASSWORD}@x", "none that SQLAlchemy knows"),
        (STATE, f"nosuch+driver://u:{PASSWORD}@h/d", "none that SQLAlchemy knows"),
    ],
)
def test_a_connection_that_is_wrong_is_named_and_not_repeated(
    name: str, text: str, sentence: str, told: Told, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    said = told(**{name: text})
    assert sentence in said
    assert_kept_nowhere(said, caplog, tmp_path)


@pytest.mark.parametrize("switch", ["verify", "verify_ssl", "ssl", "insecure"])
@pytest.mark.parametrize("value", [False, "false", True, None])
def test_tls_cannot_be_switched_off(switch: str, value: object) -> None:
    extra = {"token": TOKEN, switch: value}
    text = json.dumps({"conn_type": "finance", "host": "https://f.example", "extra": extra})
    with pytest.raises(ConfigurationError, match=f"extra {switch} would change how certificates") as caught:
        from_environment("finance_default", {"AIRFLOW_CONN_FINANCE_DEFAULT": text})
    assert TOKEN not in str(caught.value)


SOURCES = sorted(
    path for name in ("plugins", "dags", "sandbox", "runner") for path in (ROOT / name).rglob("*.py")
)
# What bandit does not refuse by itself, or excuses: each of these is refused here wherever it stands.
_CALLS = frozenset({"eval", "exec", "compile", "__import__"})
_MODULES = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"})
_TEXTS = re.compile(
    r"CERT_NONE|check_hostname\s*=\s*False|verify\s*=\s*False|ssl\s*=\s*False|_create_unverified"
)


def test_no_source_runs_data_or_trusts_any_certificate() -> None:
    assert len(SOURCES) > 100
    found = [f"{path.relative_to(ROOT)}:{line}: {what}" for path in SOURCES for line, what in _dangers(path)]
    assert found == []


def _dangers(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if _TEXTS.search(line):
            yield number, line.strip()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            shell = any(word.arg == "shell" for word in node.keywords)
            if name in _CALLS or shell:
                yield node.lineno, name or "shell"
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = {name.partition(".")[0] for name in (*module, *(alias.name for alias in node.names))}
            yield from ((node.lineno, name) for name in names & _MODULES)
        if isinstance(node, ast.Assert) and path.is_relative_to(ROOT / "plugins"):
            yield node.lineno, "assert, which python -O drops"


@pytest.mark.parametrize(
    "danger",
    [
        "eval('1')",
        "import pickle",
        "from marshal import loads",
        "run('x', shell=True)",
        "get(u, verify=False)",
    ],
)
def test_each_danger_would_be_found(danger: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"x = 1\n{danger}\n")
    assert [line for line, _ in _dangers(tmp_path / "module.py")] == [2]
