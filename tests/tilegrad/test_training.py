"""The pieces of a training loop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tilegrad.errors import TilegradError
from tilegrad.training import CtrlC, RunLog, cosine, progress


def test_the_first_ctrl_c_only_sets_a_flag_and_the_second_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with CtrlC() as ctrl_c:
        assert not ctrl_c.pressed
        signal.raise_signal(signal.SIGINT)
        assert ctrl_c.pressed
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_log_has_each_record_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("of an earlier run\n")
    with RunLog(path) as log:
        log.write({"epoch": 1, "loss": 0.25})
        log.write({"epoch": 2, "loss": 0.125})
        assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [1, 2]


def test_the_log_refuses_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    with RunLog(tmp_path / "log.jsonl") as log, pytest.raises(ValueError, match="JSON"):
        log.write({"loss": float("nan")})


def test_the_log_writes_infinity_as_null(tmp_path: Path) -> None:
    with RunLog(tmp_path / "log.jsonl") as log:
        log.write({"noisy": {"psnr": float("inf"), "ssim": 1.0}})
    assert json.loads((tmp_path / "log.jsonl").read_text()) == {"noisy": {"psnr": None, "ssim": 1.0}}


def test_a_log_in_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TilegradError, match="cannot be written"):
        RunLog(tmp_path / "none" / "log.jsonl")


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [cosine(step, 100, highest=0.5, warm_up=10) for step in range(101)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == max(rates) == 0.5
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[0] < 0.1
    assert rates[100] == pytest.approx(0, abs=1e-12)


def test_progress_goes_through_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(3, 6), total=3, label="epoch")) == [3, 4, 5]
    assert capsys.readouterr() == ("", "")  # no bar where nobody looks


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_progress_draws_a_bar_on_a_terminal() -> None:
    pytest.importorskip("tqdm")
    import pty  # these two are absent where there are no pseudo-terminals
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    os.set_blocking(ours, False)
    program = "from tilegrad.training import progress; print(sum(progress(range(4), total=4, label='epoch 1/2')))"
    done = subprocess.run(
        [sys.executable, "-c", program], stderr=theirs, stdout=subprocess.PIPE, check=True, timeout=60
    )
    drawn = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert done.stdout.strip() == b"6"
    assert "epoch 1/2" in drawn
