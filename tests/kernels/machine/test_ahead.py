"""Several processes compile into one cache; none outlives the one that asked, and a lost one loses one kernel."""

import os
import signal
import subprocess
import sys
import time

import pytest

FAMILIES = """
import os, time
from tilegrad.kernels.machine.compile import kernel

def in_a_helper():
    return os.environ["ASKER"] != str(os.getpid())

@kernel()
def plain(number):
    def work(begin, end, slot, block):
        block[0] = number
    return work

@kernel()
def broken(number):
    def work(begin, end, slot, block):
        block[0] = "text"
    return work

@kernel()
def fatal(number):
    if in_a_helper():
        os.kill(os.getpid(), 9)
    def work(begin, end, slot, block):
        block[0] = number
    return work

@kernel()
def slow(number):
    print("slow", flush=True)
    time.sleep(1.5 if in_a_helper() else 60)
    def work(begin, end, slot, block):
        block[0] = number
    return work
"""

PROGRAM = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born deaf to it
os.environ["ASKER"] = str(os.getpid())
import families
from tilegrad.kernels.machine import ahead, cache
from tilegrad.kernels.machine.compile import compiled_kernels
told = []
kernels = [(family, (number,)) for family in FAMILIES for number in range(NUMBER)]
outcome = ahead.compile_ahead(kernels, jobs=JOBS, told=lambda *news: told.append(news))
print(outcome.compiled, outcome.processes, len(compiled_kernels), cache.usage().kernels)
print([news[:2] for news in told] == [(i + 1, len(kernels)) for i in range(len(kernels))], {n for *_, n in told} == {
      family.label(*parameters) for family, parameters in kernels})
for name, failure in sorted(outcome.failures.items()):
    print(name, failure.splitlines()[0])
"""


def start(folder, families, number=8, jobs=2, **options):
    (folder / "families.py").write_text(FAMILIES)
    program = PROGRAM.replace("FAMILIES", families).replace("NUMBER", str(number)).replace("JOBS", str(jobs))
    environment = {**os.environ, "TILEGRAD_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(folder)}
    return subprocess.Popen([sys.executable, "-c", program], env={**environment, **options}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.splitlines()


def group_ends(process, seconds=30):
    """Whether all processes of its group end in time, its children among them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_processes_share_the_work(tmp_path):
    counts, told = finish(start(tmp_path, "[families.plain]", number=12))
    compiled, processes, here, stored = map(int, counts.split())
    assert (compiled, processes, stored) == (12, 2, 12)
    assert 1 <= here <= 12
    assert told == "True True"
    counts, _ = finish(start(tmp_path, "[families.plain]", number=12))
    assert counts.split() == ["12", "2", "0", "12"]  # nothing was compiled again


def test_few_kernels_are_worth_no_process(tmp_path):
    counts, _ = finish(start(tmp_path, "[families.plain]", number=4, jobs=8))
    assert counts.split() == ["4", "1", "4", "4"]


def test_a_place_that_cannot_be_written_has_one_process(tmp_path):
    (tmp_path / "file").touch()
    counts, _ = finish(start(tmp_path, "[families.plain]", TILEGRAD_CACHE_DIR=str(tmp_path / "file" / "cache")))
    assert counts.split() == ["8", "1", "8", "0"]


def test_a_helper_that_dies_loses_one_kernel(tmp_path):
    process = start(tmp_path, "[families.fatal]")
    counts, told, failure = finish(process)
    assert counts.split() == ["7", "2", "7", "7"]
    assert told == "True True"
    assert failure.endswith("the process that compiled it ended with status -9")
    assert group_ends(process)


def test_a_kernel_that_does_not_compile_spares_the_others(tmp_path):
    counts, _, *failures = finish(start(tmp_path, "[families.broken, families.plain]"))
    compiled, _, _, stored = counts.split()
    assert (compiled, stored) == ("8", "8")
    assert [line.split()[0] for line in failures] == [f"families.broken-{i}" for i in range(8)]
    assert all("Error: " in line for line in failures)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_helper_outlives_the_asker(tmp_path, number):
    """SIGINT goes to the whole group, as a terminal's Ctrl-C does; SIGKILL to the asker alone."""
    process = start(tmp_path, "[families.slow]")
    assert process.stdout.readline() == "slow\n"  # the asker's: a helper's standard output is its own
    time.sleep(1.0)  # the helper is at work, or about to be
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert group_ends(process)
