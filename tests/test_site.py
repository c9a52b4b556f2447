"""The site is built without a warning, its programs and commands run, its table of numbers is the one in the file."""

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from apical.cli.main import build_parser
from apical.rules.registry import find
from apical.training.config import parse_settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(), flags=re.S | re.M)
    return [textwrap.dedent(body) for _, body in found]


def commands(page: Path) -> list[list[str]]:
    """Every line of a page's console blocks that calls us, as words."""
    lines = [line for block in blocks(page, "bash") for line in block.splitlines() if line.startswith("apical ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


COMMANDS = [
    pytest.param(words, id=" ".join(words)[:60]) for page in (*PAGES, ROOT / "README.md") for words in commands(page)
]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_printed_command_is_a_valid_one(words: list[str]) -> None:
    arguments = build_parser(words[0]).parse_args(words)
    if words[0] == "train" and arguments.rule:
        find(arguments.rule)
        parse_settings(arguments.rule, arguments.network, arguments.preset, arguments.set)


@pytest.fixture(scope="module")
def numbers() -> dict:
    return runpy.run_path(str(DOCS / "make_numbers.py"))


def test_the_page_of_numbers_is_made_from_the_table(numbers: dict) -> None:
    groups = numbers["table"]()
    assert (DOCS / "numbers.md").read_text() == numbers["page"](groups), "run python docs/make_numbers.py"
    rows = [row for group in groups for row in group["rows"]]
    assert len({(group["id"], row["id"]) for group in groups for row in group["rows"]}) == len(rows)
    for group in groups:
        words = shlex.split(group["command"])[1:]
        assert build_parser(words[0]).parse_args(words)


def test_a_row_is_filled_from_run_folders(numbers: dict, tmp_path: Path) -> None:
    """Errors are 100 less the accuracy; the interval is Student's: 4.303 is its quantile for three values."""
    for i, accuracy in enumerate((0.96, 0.97, 0.98)):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "summary.json").write_text(json.dumps({"test_accuracy": accuracy}))
    row = {"key": "test_accuracy", "what": "test error, %"}
    half = 4.302653 / 3**0.5
    assert numbers["measured"](row, sorted(tmp_path.iterdir())) == (f"3.00 [{3 - half:.2f}, {3 + half:.2f}]", 3)
    assert numbers["measured"](row | {"what": "test accuracy, %"}, [tmp_path / "0"]) == ("96.00", 1)


def test_a_measurement_goes_into_the_row_of_its_own_group(
    numbers: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = '  { id = "same", what = "error", key = "test_accuracy", ours = "?", seeds = 0, why = "" },'
    copy = tmp_path / "numbers.toml"
    copy.write_text("\n".join(f'[[group]]\nid = "{g}"\npaper = ""\nrows = [\n{row}\n]\n' for g in "abc"))
    (tmp_path / "summary.json").write_text(json.dumps({"test_accuracy": 0.75}))
    monkeypatch.setitem(numbers["measure"].__globals__, "TABLE", copy)
    numbers["measure"]("b", "same", [tmp_path])
    assert [group["rows"][0]["ours"] for group in tomllib.loads(copy.read_text())["group"]] == ["?", "25.00", "?"]


@pytest.mark.long
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.stem)
def test_the_programs_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n\n".join(blocks(page, "python")))
    subprocess.run([sys.executable, program], cwd=tmp_path, check=True)


@pytest.mark.long
@pytest.mark.parametrize("page", [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))], ids=lambda p: p.stem)
def test_the_commands_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    for words in commands(page):
        subprocess.run([sys.executable, "-m", "apical", *words], cwd=tmp_path, check=True)


@pytest.mark.long
@pytest.mark.parametrize("notebook", sorted((DOCS / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    pytest.importorskip("marimo", reason="install the extra notebooks: pip install -e '.[notebooks]'")
    subprocess.run([sys.executable, notebook], cwd=tmp_path, check=True)


@pytest.mark.long
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    if shutil.which("mkdocs", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("install the extra docs: pip install -e '.[docs]'")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True)
    assert "SegregatedDendrites" in (tmp_path / "reference" / "index.html").read_text()
