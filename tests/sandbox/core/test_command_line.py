"""`python -m sandbox` on the command line: what happens to a state before the start, and what cannot be started."""

import gzip
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import __main__ as program
from sandbox.config import PORTS
from sandbox.embedded.processes import python
from sandbox.servers import listen
from sandbox.world import World

Start = Callable[..., int]
OURS = Path(__file__).parent / "files" / "our-records.json"
FREE_PORTS = [part for name in PORTS for part in (f"--{name}-port", "0")]


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The customers that each start finds; it stops before a port is opened."""
    found: list[list[str]] = []

    def stop_at_once(world: World) -> None:
        found.append([str(each["Name"]) for each in world.org.records("Account")])
        world.close()

    monkeypatch.setattr("sandbox.serving.run", stop_at_once)
    return found


@pytest.fixture
def start(state: Path) -> Start:
    def run(*arguments: object) -> int:
        return program.main(["--state", str(state), *FREE_PORTS, *map(str, arguments)])

    return run


def answer(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    """Somebody at a terminal says this; nobody is there for None."""
    source = io.StringIO(text or "")
    monkeypatch.setattr(source, "isatty", lambda: text is not None, raising=False)
    monkeypatch.setattr(sys, "stdin", source)


def test_a_state_goes_by_file_to_another_folder(start: Start, accounts: list[list[str]], tmp_path: Path) -> None:
    start("--seed-data", "none", "--seed", OURS)
    for name in ("monday.jsonl", "monday.jsonl.gz"):
        file = tmp_path / name
        assert start("--export", file) == 0
        assert program.main(["--state", str(tmp_path / f"from {name}"), *FREE_PORTS, "--import", str(file)]) == 0
    assert accounts == [["Tanaka Aiko"]] * 3
    with gzip.open(tmp_path / "monday.jsonl.gz", "rt") as zipped:
        assert json.loads(next(zipped))["format"] == "sandbox state"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("said", "forgotten"), [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_who_sits_at_a_terminal_is_asked_before_a_state_is_forgotten(
    start: Start,
    accounts: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    forgotten: bool,
) -> None:
    start("--seed-data", "none", "--seed", OURS)
    answer(monkeypatch, said)
    status = start("--seed-data", "none", "--reset")
    start("--seed-data", "none")
    assert "Forget the state" in capsys.readouterr().err
    assert status == (0 if forgotten else 2)
    assert accounts[-1] == ([] if forgotten else ["Tanaka Aiko"])


def test_without_a_terminal_only_yes_forgets_a_state(
    start: Start,
    accounts: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    start("--seed-data", "none", "--seed", OURS)
    assert start("--export", tmp_path / "full.jsonl") == 0
    answer(monkeypatch, None)
    for arguments in (["--reset"], ["--import", tmp_path / "full.jsonl"]):
        assert start("--seed-data", "none", *arguments) == 2
        assert "--yes says that it may be forgotten" in capsys.readouterr().err
    assert start("--seed-data", "none", "--reset", "--yes") == 0
    assert start("--seed-data", "none", "--import", tmp_path / "full.jsonl", "--yes") == 0
    assert accounts == [["Tanaka Aiko"], [], ["Tanaka Aiko"]]


def test_a_new_state_is_not_asked_about(
    start: Start, accounts: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, None)
    assert start("--reset", "--seed-data", "none") == 0
    assert accounts == [[]]


def test_what_cannot_be_read_in_is_one_sentence_and_changes_nothing(
    start: Start, accounts: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    start("--seed-data", "none", "--seed", OURS)
    (tmp_path / "odd.jsonl").write_text("{}\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"format": 1}\n' * 100)[:-12])
    for name, sentence in (
        ("odd.jsonl", "odd.jsonl, line 1: this is not the first line"),
        ("cut.jsonl.gz", "cut.jsonl.gz"),
        ("none.jsonl", "No such file or directory"),
    ):
        assert start("--import", tmp_path / name, "--yes") == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1
    start()
    assert accounts == [["Tanaka Aiko"]] * 2


def test_nothing_is_written_down_where_there_is_no_state(
    start: Start, capsys: pytest.CaptureFixture[str], tmp_path: Path, state: Path
) -> None:
    assert start("--export", tmp_path / "file") == 2
    assert "There is no state in" in capsys.readouterr().err
    assert not (tmp_path / "file").exists()
    assert not (state / "ledger.db").exists()


def test_a_seed_for_a_state_that_exists_is_mentioned(
    start: Start, accounts: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    start("--seed-data", "none")
    assert start("--seed", OURS) == 0
    assert "--seed changes nothing" in capsys.readouterr().err
    assert accounts == [[], []]


def test_a_wrong_seed_is_one_sentence_and_the_next_start_is_the_first(
    start: Start, accounts: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "seed.json").write_text('{"salesforce": [{"type": "Ghost"}]}')
    assert start("--seed", tmp_path / "seed.json") == 2
    assert capsys.readouterr().err == f"{tmp_path / 'seed.json'}: salesforce[0]: there is no object Ghost\n"
    assert start("--seed-data", "none", "--seed", OURS) == 0
    assert accounts == [["Tanaka Aiko"]]


@pytest.mark.parametrize(
    "arguments", [["--people-port", "70000"], ["--smtp-port", "x"], ["--seed-data", "all"], ["--sta", "x"]]
)
def test_a_wrong_argument_is_refused(start: Start, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        start(*arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_taken_port_neither_makes_a_state_nor_forgets_one(
    start: Start, accounts: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    with listen("somebody", "127.0.0.1", 0) as busy:
        taken = ("--whmcs-port", str(busy.getsockname()[1]))
        assert program.main(["--state", str(new), *FREE_PORTS, *taken]) == 2
        assert not new.exists()
        start("--seed-data", "none", "--seed", OURS)
        assert start("--reset", "--yes", *taken) == 2
    assert capsys.readouterr().err.count("choose another one with --whmcs-port") == 2
    start()
    assert accounts == [["Tanaka Aiko"]] * 2


def test_two_systems_cannot_have_one_port(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("nobody", "127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    assert start("--esim-port", port, "--smtp-port", port) == 2
    assert "choose another one with --smtp-port" in capsys.readouterr().err


def test_port_0_is_one_that_is_free(tmp_path: Path) -> None:
    command = [python(), "-m", "sandbox", "--state", str(tmp_path), "--seed-data", "none", *FREE_PORTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline().removeprefix("ready "))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    addresses = [
        ready[name] for name in ("salesforce_url", "pubsub_endpoint", "whmcs_url", "esim_url", "people_url", "smtp")
    ]
    chosen = [int(each.rpartition(":")[2]) for each in addresses]
    assert len(set(chosen)) == len(PORTS)
    assert all(1023 < each < 65536 for each in chosen)


def test_an_import_that_fails_leaves_no_new_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.jsonl").write_text("no state at all\n")
    arguments = ["--state", str(tmp_path / "new"), *FREE_PORTS, "--import", str(tmp_path / "bad.jsonl")]

    assert program.main(arguments) == 2

    assert "bad.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
