"""The command as a user meets it, with PyTorch and where it is not installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from brief import ONCE, row
from tilegrad.benchmarks import cli, filter_workloads, machine, plot, processes, rivals, rows, suites, timing, workloads
from tilegrad.benchmarks.contestant import Arrays, Contestant, Prepared, UnavailableError
from tilegrad.benchmarks.kinds import FreshProcess, Work
from tilegrad.benchmarks.workloads import WORKLOADS

from tilegrad.errors import TilegradError

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "at_the_root"),
    [
        (["-m", "benchmarks"], True),
        (["-P", "-m", "tilegrad.benchmarks"], False),
        (["-P", "-m", "tilegrad", "bench"], False),
    ],
)
def test_the_commands_are_one(command: list[str], at_the_root: bool, tmp_path: Path) -> None:
    folder = ROOT if at_the_root else tmp_path
    done = run(*command, "--list", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [work.name for work in WORKLOADS]
    done = run(*command, "--filters", "--list", cwd=folder)
    assert done.stdout.splitlines() == [work.name for work in filter_workloads.WORKLOADS]
    done = run(*command, "--only", "paint", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": no row matches paint; --list shows them\n")


WITHOUT_RIVALS = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnxruntime"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from tilegrad.benchmarks.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_rivals_ours_is_measured_alone(tmp_path: Path) -> None:
    done = run("-P", "-c", WITHOUT_RIVALS, "--quick", "--only", "call/relu", "--json", "rows.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "alone (no rival is installed)" in done.stdout
    assert "channels_last" not in done.stdout.replace("the ratio to channels_last", "")
    facts, row, _ = map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())
    assert list(row["timings"]) == ["tilegrad"]
    assert row["ratios"] == {}
    assert facts["peak_flops"] > 0
    assert facts["rivals"] == []


@pytest.mark.parity
def test_with_pytorch_both_layouts_stand_beside_ours(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs PyTorch")
    done = run(
        "-P", "-m", "tilegrad.benchmarks", "--quick", "--only", "dcgan-1-64/f*", "--threads", "1", "--json",
        "rows.jsonl", cwd=tmp_path, MALLOC_TOP_PAD_="1048576",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert "malloc: MALLOC_TOP_PAD_=1048576" in done.stdout
    facts, row, _ = map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())
    assert (facts["record"], facts["threads"], facts["precision"]) == ("machine", 1, "float32")
    assert facts.keys() >= {"tilegrad", "python", "numpy", "numba", "rivals", "processor", "malloc", "copy_bytes_8MiB"}
    assert (row["record"], row["name"], row["equal"]) == ("row", "dcgan-1-64/forward", True)
    assert facts["rivals"][0].startswith("torch ")
    assert row["ratios"].keys() == {"channels_last", "NCHW"}
    assert row["errors"]["NCHW"] < row["tolerance"]
    assert f"{row['ratios']['channels_last']:.2f}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--only", "paint"], 2, "no row matches paint"),
        (["--only", "adam", "--threads", "0"], 2, "--threads expects 1 to"),
        (["--only", "adam", "--threads", "10000"], 2, "--threads expects 1 to"),
        (["--only", "adam", "--retries", "-1"], 2, "--retries expects at least 0"),
        (["--filters", "--only", "adam"], 2, "no row matches adam"),
        (["--filters", "--compile"], 2, "--compile is for whole networks"),
        (["--ladder", "conv2d", "--filters"], 2, "--ladder goes with neither"),
        (["--only", "adam", "--save", "."], 2, "--save is for the whole table"),
        (["--quick", "--save", "."], 2, "--save is for the whole table"),
        (["--save", "no/such/folder"], 1, "does not exist"),
        (["--only", "adam", "--plot", "no/such/folder.png"], 1, "does not exist"),
        (["--only", "adam", "--json", "no/such/folder.jsonl"], 1, "does not exist"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == status
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1


def test_patterns() -> None:
    names = [work.name for work in cli.select(suites.networks(), ["dncnn-40/", "adam"])]
    assert names == ["dncnn-40/forward", "dncnn-40/input-gradient", "dncnn-40/weight-gradient", "adam/dncnn-17"]
    assert [work.name for work in cli.select(suites.networks(), ["srcnn-9*/[fw]*"])] == [
        "srcnn-9x9/forward",
        "srcnn-9x9/weight-gradient",
    ]
    assert len(cli.select(suites.networks(), [])) == len(WORKLOADS)


def test_a_quick_run_leaves_out_the_slowest_rows_unless_they_are_asked_for() -> None:
    left_out = {work.name for work in WORKLOADS} - {work.name for work in cli.select(suites.networks(), [], quick=True)}
    assert left_out == {
        "dncnn-17/inference-1920x1080", "dncnn-17/inference-1920x1080-1-thread", "start/first-training",
    }  # fmt: skip
    assert [work.name for work in cli.select(suites.networks(), ["start/first"], quick=True)] == [
        "start/first-training"
    ]


@pytest.mark.parametrize("operation", suites.LADDERS)
def test_a_ladder_has_the_variants_that_take_its_layer_and_begins_with_the_loops(operation: str) -> None:
    works = suites.ladder(operation).works
    assert [work.variant for work in works] == ["naive", "im2col", "direct", "winograd"]
    assert {work.run for work in works} == {suites.LADDERS[operation]}


@pytest.fixture
def no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "describe", lambda *known: {"known": len(known)})
    monkeypatch.setattr(machine, "head", lambda facts: "")
    monkeypatch.setattr(machine, "keep_freed_memory", lambda: "untouched")


@pytest.mark.usefixtures("no_probe")
def test_results_that_differ_end_in_status_1_and_are_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare(work: Work, arrays: Arrays) -> Prepared | None:
        return rows.OURS.prepare(work, {name: -array for name, array in arrays.items()})

    wrong = Contestant("wrong", "wrong 1.0", prepare, lambda work: None)
    monkeypatch.setattr(rivals, "installed", lambda threads, compiled: [wrong])
    assert cli.main(["--quick", "--only", "call/add", "--json", str(tmp_path / "a.jsonl")]) == 1
    printed = capsys.readouterr()
    assert "RESULTS DIFFER" in printed.out
    assert "results differ from a rival's in call/add" in printed.err
    record = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[1])
    assert (record["equal"], record["timings"]) == (False, {})


@pytest.mark.usefixtures("no_probe")
def test_an_interruption_keeps_the_rows_so_far(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[str] = []
    measure = rows.measure

    def interrupted(work, *others):  # type: ignore[no-untyped-def]
        if done:
            raise KeyboardInterrupt
        done.append(work.name)
        return measure(work, *others)

    monkeypatch.setattr(rows, "measure", interrupted)
    monkeypatch.setattr(rivals, "installed", lambda threads, compiled: [])
    assert cli.main(["--quick", "--only", "call/", "--json", str(tmp_path / "a.jsonl")]) == 130
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [record.get("name") for record in records] == [None, *done]


@pytest.fixture
def two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is two short rows, alone, measured as briefly as can be."""
    monkeypatch.setattr(workloads, "WORKLOADS", tuple(cli.select(suites.networks(), ["call/add", "call/relu"])))
    monkeypatch.setattr(rivals, "installed", lambda threads, compiled: [])
    monkeypatch.setattr(timing, "FULL", ONCE)


@pytest.mark.usefixtures("two_rows")
def test_text_and_records_are_saved_by_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--save", str(tmp_path)]) == 0
    text, lines = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert (text.suffix, lines.suffix, text.stem) == (".txt", ".jsonl", lines.stem)
    table = text.read_text()
    assert capsys.readouterr().out.startswith(table)
    facts, *found, last = map(json.loads, lines.read_text().splitlines())
    assert text.stem.startswith(facts["measured"][:10])
    assert f"measured {facts['measured']}" in table.splitlines()
    assert [row["name"] for row in found] == ["call/add", "call/relu"]
    assert (last["record"], last["rows"]) == ("summary", 2)
    assert str(ROOT) not in table + lines.read_text()
    assert sys.prefix not in table + lines.read_text()


@pytest.mark.usefixtures("two_rows")
def test_a_run_that_ends_early_saves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rows, "measure", interrupted)
    assert cli.main(["--save", str(tmp_path)]) == 130
    assert list(tmp_path.iterdir()) == []


def test_saved_runs_are_of_one_run() -> None:
    """Where the records say when they were measured, the text beside them says the same."""
    for lines in (ROOT / "benchmarks" / "results").glob("*.jsonl"):
        facts, *_, last = map(json.loads, lines.read_text().splitlines())
        assert f"measured {facts['measured']}" in lines.with_suffix(".txt").read_text().splitlines()
        assert last["record"] == "summary"


@pytest.mark.usefixtures("two_rows")
def test_ratios_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    assert cli.main(["--plot", str(tmp_path / "alone.png")]) == 0  # no rival: an empty picture
    plot.draw([row(), row("adam/dncnn-17"), row("elementwise-40/add")], tmp_path / "ratios.png")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("alone.png", "ratios.png"))


def test_a_compiler_that_fails_leaves_its_column_out_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def installed(threads: int, compiled: bool = False) -> list[Contestant]:
        if compiled:
            raise UnavailableError("torch.compile fails here: no compiler")
        return []

    monkeypatch.setattr(rivals, "installed", installed)
    assert cli.main(["--quick", "--only", "call/add", "--compile"]) == 0
    assert "without torch.compile: torch.compile fails here: no compiler" in capsys.readouterr().out


@pytest.mark.slow
def test_a_fresh_process_is_timed_and_says_how_many_kernels_it_compiled() -> None:
    program = 'print("ready", flush=True)\nprint("7 kernels compiled")'
    side = Contestant("other", "other 1.0", lambda work, arrays: None, lambda work: program)
    row = rows.measure(FreshProcess(training=False, warm=True), [side], 1, ONCE)
    assert row.timings.keys() == {"tilegrad", "other"}
    assert row.notes.startswith("7 kernels compiled, peak ")


@pytest.mark.slow
def test_the_first_process_ever_compiles_and_a_warm_one_does_not() -> None:
    for warm in (False, True):
        row = rows.measure(FreshProcess(training=True, warm=warm), [], 1, ONCE)
        count = int(row.notes.split()[0])
        assert (count == 0) == warm


def test_a_process_that_fails_is_one_line() -> None:
    with pytest.raises(TilegradError, match="failed with status 1: ZeroDivisionError"):
        processes.run("1 / 0", str(ROOT), {})
