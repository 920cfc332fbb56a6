"""The tool that runs scikit-image's own tests: what it replaces, and what it makes of outcomes."""

import importlib

import pytest
import skimage_suite

from tilegrad import filters


def test_only_what_is_listed_may_fail_and_must():
    found = {"a": "passed", "b": "failed", "c": "skipped", "d": "failed"}
    assert skimage_suite.surprises(found, ["b", "d"]) == []
    assert skimage_suite.surprises(found, ["b"]) == ["d: failed"]
    assert skimage_suite.surprises(found, ["a", "b", "d", "e"]) == [
        "a: passed, but is listed as failing",
        "e: did not run, but is listed as failing",
    ]


def test_the_tests_get_our_functions(monkeypatch):
    pytest.importorskip("skimage")
    for place, names in skimage_suite.REPLACED.items():
        module = importlib.import_module(place)
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    skimage_suite.replace()
    assert importlib.import_module("skimage.feature").canny is filters.canny
    assert importlib.import_module("skimage.morphology.gray").opening is filters.opening


def test_listed_failures_are_of_files_that_run():
    assert {name.partition("::")[0] for name in skimage_suite.EXPECTED} <= set(skimage_suite.FILES)
