"""The programs in the README and in the pages of docs run, and print what stands beside them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def program_of(page):
    """The blocks of Python of a page, one after the other, each on the lines where it stands in the page."""
    lines = [""] * page.read_text(encoding="utf-8").count("\n")
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines()):
        if line.startswith("```"):
            inside = line == "```python"
        elif inside:
            lines[number] = line
    return "\n".join(lines)


PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if program_of(page).strip()]


def run(page):
    """The names that a page's program leaves."""
    program = program_of(page)
    if "skimage" in program:
        pytest.importorskip("skimage", reason="the page takes photographs from scikit-image")
    names: dict[str, object] = {}
    exec(compile(program, str(page), "exec"), names)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT / "docs").as_posix())
def test_pages_print_what_stands_beside_it(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(page)
    promised = re.findall(r"^print\(.*\)  # (.*)$", program_of(page), re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised


def test_there_are_pages_to_run():
    assert len(PAGES) > 5


def test_the_program_in_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run(ROOT / "README.md")
    assert "cpu.winograd   taken" in capsys.readouterr().out
    assert names["slope"].shape == (32, 3, 3, 16)
    assert [event.variant for event in names["events"]][-1] == "im2col"


def test_pictures_of_the_pages_exist_and_are_small():
    shown = [
        page.parent / name
        for page in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert shown
    assert all(picture.stat().st_size < 250_000 for picture in shown)
    assert sum(picture.stat().st_size for picture in shown) < 1_500_000
    assert {picture.name for picture in shown} | {"before-after.png"} == {
        picture.name
        for picture in (ROOT / "docs").rglob("*.png")  # that one is the README's
    }
