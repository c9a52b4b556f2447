"""The whole report: what is written, that the page needs nothing else, and what is refused before any writing."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from apical.cli import report as command
from apical.errors import InputError
from apical.report import markup, write_page, write_report

NAMES = [
    "results", "samples", "learning-curves", "angle-to-backprop", "feedback-alignment", "learning-dynamics", "cost",
]  # fmt: skip


class Parsed(HTMLParser):
    """Tags with their attributes, and everything that is not a script or style as text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        self.text += "" if self.inside else data


@pytest.fixture(scope="module")
def parsed(report: Path) -> Parsed:
    """The page, parsed."""
    return Parsed((report / "report.html").read_text())


def test_every_figure_is_on_the_page_and_in_both_static_formats(report: Path, parsed: Parsed) -> None:
    assert [attributes.get("id") for tag, attributes in parsed.tags if tag == "figure"] == NAMES
    written = sorted(path.name for path in (report / "figures").iterdir())
    assert written == sorted(f"{name}.{kind}" for name in NAMES for kind in ("pdf", "png"))
    assert sorted(path.name for path in report.iterdir()) == ["figures", "report.html", "tables"]


def test_the_page_loads_nothing_from_anywhere(parsed: Parsed) -> None:
    for tag, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name) or ""
            assert value.startswith(("data:", "#")) or not value, (tag, name, value)
    policy = next(a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "default-src 'none'" in policy and "http" not in policy


def test_the_style_sheet_loads_nothing_either(report: Path) -> None:
    style = re.findall(r"<style>(.*?)</style>", (report / "report.html").read_text(), re.DOTALL)[0]
    assert "url(" not in style and "@import" not in style


def test_the_page_says_what_one_needs_to_repeat_it(parsed: Parsed) -> None:
    for words in (
        "4 learning rules on Digits", "apical compare --dataset digits --seeds 3 --out OUT", "0123abc", "0.10.2",
        "09f66e6debdee2cd", "test data are judged once", "Target propagation: 1 of 3 diverged.", "rate", "0.001",
    ):  # fmt: skip
        assert words in parsed.text, words


def test_names_cannot_smuggle_markup_in(tmp_path: Path, write_run: Callable[..., Any]) -> None:
    evil = "<script>alert(1)</script>"
    write_run(tmp_path / "run", evil, 0, dataset=f'"{evil}', data_warnings=[evil], settings={evil: evil}, metrics=False)
    parsed = Parsed(write_report([tmp_path], tmp_path / "out").read_text())
    for tag, attributes in parsed.tags:
        if tag == "script":
            assert attributes.get("type") == "application/json" or not attributes
    assert sum(tag == "script" and not attributes for tag, attributes in parsed.tags) == 2
    assert evil in parsed.text


def test_a_report_beside_its_runs_can_be_written_again(tmp_path: Path, write_run: Callable[..., Any]) -> None:
    write_run(tmp_path / "out" / "runs" / "backprop" / "seed-0", "backprop", 0, metrics=False)
    first = write_report([tmp_path / "out"], tmp_path / "out").read_bytes()
    assert write_report([tmp_path / "out"], tmp_path / "out").read_bytes() == first
    assert not list(tmp_path.rglob(".*"))


def test_two_data_sets_have_their_own_figures(tmp_path: Path, write_run: Callable[..., Any]) -> None:
    for dataset in ("digits", "mnist"):
        write_run(tmp_path / dataset, "backprop", 0, dataset=dataset, metrics=False)
    page = write_report([tmp_path / "digits", tmp_path / "mnist"], tmp_path / "out")
    names = {attributes.get("id") for tag, attributes in Parsed(page.read_text()).tags if tag == "figure"}
    assert {"results-digits-mlp", "results-mnist-mlp"} <= names
    assert '<a href="#mnist-mlp">MNIST, fully connected network</a>' in page.read_text()
    assert (tmp_path / "out" / "figures" / "results-mnist-mlp.pdf").is_file()


def test_bad_input_writes_nothing(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(InputError, match="is a file: name a folder"):
        write_report([folder], file)
    with pytest.raises(InputError, match="cannot be written"):
        write_report([folder], file / "below")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no run"):
        write_report([tmp_path / "empty"], tmp_path / "out")
    assert file.read_text() == "kept" and not (tmp_path / "out").exists()


def test_the_command_takes_several_folders(
    tmp_path: Path, write_run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for rule in ("backprop", "weight-mirror"):
        write_run(tmp_path / rule, rule, 0, metrics=False)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(tmp_path / "backprop"), str(tmp_path / "weight-mirror"), "--out", str(tmp_path / "out")]
    assert command.run(parser.parse_args(words)) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "report.html")
    assert "2 learning rules on Digits" in (tmp_path / "out" / "report.html").read_text()


def test_a_page_of_other_blocks_needs_no_plotly(tmp_path: Path) -> None:
    page = write_page("A & B", ["<p>text</p>"], tmp_path / "page.html")
    assert "<title>A &amp; B</title>" in page.read_text() and page.stat().st_size < 50_000


def test_no_model_is_loaded() -> None:
    """Reports are read on machines without JAX's start-up time, or without JAX."""
    code = "import sys, apical.report, apical.cli.report; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_code_in_a_paragraph_is_set_as_code() -> None:
    assert markup.paragraph("`apical audit` & <b>") == "<p><code>apical audit</code> &amp; &lt;b&gt;</p>"
    assert markup.paragraph("a `b", "lead") == '<p class="lead">a `b</p>'
