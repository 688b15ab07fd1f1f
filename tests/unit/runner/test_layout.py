"""Ports and values that a folder keeps."""

import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.layout import USUAL_SANDBOX_PORTS, Layout, is_free, require_free, sandbox_ports


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(RunnerError, match=rf"^Port {port}, which the tea needs, is taken\. Wait\.$"):
            require_free(port, "the tea", "Wait.")


def test_a_folder_keeps_its_secrets_for_its_owner_alone(tmp_path: Path) -> None:
    layout = Layout.in_folder(tmp_path)
    assert layout.kept("key", "one") == "one"
    assert Layout.in_folder(tmp_path).kept("key", "two") == "one"
    assert stat.S_IMODE((tmp_path / "kept" / "key").stat().st_mode) == 0o600


def test_the_sandbox_takes_other_ports_where_the_usual_ones_are_taken() -> None:
    with ExitStack() as held:
        for port in USUAL_SANDBOX_PORTS:
            if is_free(port):
                listener = held.enter_context(socket.socket())
                listener.bind(("127.0.0.1", port))
                listener.listen()
        assert not set(sandbox_ports()) & set(USUAL_SANDBOX_PORTS)
