"""scikit-image's own tests, run on our functions: ``python tests/filters/skimage_suite.py --source FOLDER``.

FOLDER is a checkout of scikit-image's repository at the version that is installed; the tables here are for v0.26.0. The
functions of scikit-image that are named here are replaced by ours where its tests take them from, and then its test
files run as they are. Tests that must fail stand in a table with the reason. The command prints what became of all
tests, and fails where another test fails, or where one of the table does not.
"""

import argparse
import collections
import importlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from tilegrad import filters

REPLACED = {
    "skimage.feature": ("canny", "match_template"),
    "skimage.filters": (
        "farid", "farid_h", "farid_v", "gaussian", "laplace", "median", "prewitt", "prewitt_h", "prewitt_v", "roberts",
        "roberts_neg_diag", "roberts_pos_diag", "scharr", "scharr_h", "scharr_v", "sobel", "sobel_h", "sobel_v",
        "unsharp_mask",
    ),
    "skimage.metrics": (
        "mean_squared_error", "normalized_root_mse", "peak_signal_noise_ratio", "structural_similarity",
    ),
    "skimage.morphology.gray": ("black_tophat", "closing", "dilation", "erosion", "opening", "white_tophat"),
}  # fmt: skip

FILES = (
    "feature/test_canny.py", "feature/test_template.py", "filters/test_edges.py", "filters/test_gaussian.py",
    "filters/test_median.py", "filters/test_unsharp_mask.py", "metrics/test_simple_metrics.py",
    "metrics/test_structural_similarity.py", "morphology/test_gray.py",
)  # fmt: skip

_RANK = "behavior='rank' is a filter of its own, whose windows end at the image's border"

EXPECTED = {
    "filters/test_gaussian.py::test_preserve_range": "wants exactly 1 of ones; ours rounds to 1 + 2.2e-16",
    "filters/test_gaussian.py::test_output_error": "ours is the same error, a ValueError, in other words",
    "filters/test_median.py::test_median[img0-rank]": _RANK,
    "filters/test_median.py::test_median_behavior[rank-median-params1]": _RANK,
    "filters/test_median.py::test_median_warning[constant-0.0-rank-UserWarning]": _RANK,
    "filters/test_median.py::test_median_warning[nearest-0.0-rank-None]": _RANK,
}
"""Tests that fail, by file and name, and why."""


class Outcomes:
    """A plug-in of pytest that notes what became of each test."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Setting up and tearing down say something only where they fail or skip.
        if report.when == "call" or report.outcome != "passed":
            self.of[report.nodeid.partition("tests/skimage/")[2]] = report.outcome


def replace() -> None:
    """Put our functions in the place of scikit-image's, all of which must be there."""
    for place, names in REPLACED.items():
        module = importlib.import_module(place)
        for name in names:
            assert callable(getattr(module, name)), f"{place} has no {name}"
            setattr(module, name, getattr(filters, name))


def run(source: Path) -> tuple[int, dict[str, str]]:
    """pytest's exit status, and what became of each test."""
    outcomes = Outcomes()
    # Of the checkout's settings only that warnings are errors; those and its conftest want plug-ins of their own.
    options = ["-q", "--tb=line", "-n0", "-W", "error", "--noconftest", "-c", os.devnull, "-p", "no:cacheprovider"]
    files = [str(source / "tests" / "skimage" / file) for file in FILES]
    return int(pytest.main([*options, "--rootdir", str(source), *files], plugins=[outcomes])), outcomes.of


def surprises(found: Mapping[str, str], expected: Iterable[str]) -> list[str]:
    """A line for each test that fails and should not, or should and does not."""
    failed = {name for name, outcome in found.items() if outcome == "failed"}
    others = [f"{name}: {found.get(name, 'did not run')}, but is listed as failing" for name in set(expected) - failed]
    return sorted([f"{name}: failed" for name in failed - set(expected)] + others)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--source", metavar="FOLDER", type=Path, required=True, help="a checkout of scikit-image")
    source = parser.parse_args(arguments).source.resolve()
    replace()
    status, found = run(source)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return 2
    counts = collections.Counter(found.values())
    print("\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))
    for name in sorted(found.keys() & EXPECTED.keys()):
        print(f"expected to fail: {name}: {EXPECTED[name]}")
    surprising = surprises(found, EXPECTED)
    print("\n".join(surprising) or "nothing else failed")
    return int(bool(surprising))


if __name__ == "__main__":
    sys.exit(main())
