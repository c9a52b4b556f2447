"""The programs printed in README and CONTRIBUTING run, the rule of the guide learns, and every rule has its page."""

import re
import runpy
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.audit.base import FINAL, LIMIT
from apical.audit.literature import COLUMNS, TABLE
from apical.audit.registry import LITERATURE
from apical.audit.tables import MARKS
from apical.core import Batch
from apical.data.registry import load
from apical.hyperparameters import declarations
from apical.reproduce.registry import ALL
from apical.rules.assembly import assemble, schema
from apical.rules.registry import RULES, citation

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
OWN_PLACE = {"segregated-dendrites": DOCS / "segregated-dendrites.md"}
PAGES = {name: DOCS / "rules" / f"{name}.md" for name in RULES if name not in OWN_PLACE}


def programs(document: str) -> list[str]:
    found = re.findall(r"^( *)```python\n(.*?)^\1```", (ROOT / document).read_text(), flags=re.S | re.M)
    return [textwrap.dedent(body) for _, body in found]


def test_the_program_of_the_readme_runs(tmp_path: Path) -> None:
    (program,) = programs("README.md")
    (tmp_path / "program.py").write_text(program)
    info = runpy.run_path(str(tmp_path / "program.py"))["info"]
    assert jnp.isfinite(info.loss) and info.scores.shape == (50, 10)


def test_the_rule_of_the_guide_learns(tmp_path: Path) -> None:
    (program,) = programs("CONTRIBUTING.md")
    assert program.count("\n") < 100
    (tmp_path / "rule.py").write_text(program)
    guide = runpy.run_path(str(tmp_path / "rule.py"))["SignFeedback"]
    digits = load("digits").train
    batch = Batch(jnp.asarray(digits.take(np.arange(500))), jnp.asarray(digits.labels[:500]))
    rule = assemble(guide, "mlp", digits.shape, 10, (100,), {"rate": 0.003})
    update = jax.jit(lambda state, key: rule.update(state, batch, key))
    state = rule.init(jr.key(0), batch)
    for step in range(150):
        state, info = update(state, jr.key(step))
    assert (info.scores.argmax(-1) == batch.y).mean() > 0.9
    assert "Sign feedback" in citation(guide)


def test_the_list_of_rules_leads_to_a_page_of_each() -> None:
    index = (DOCS / "rules" / "index.md").read_text()
    found = {
        name: (DOCS / "rules" / page).resolve() for name, page in re.findall(r"^\| \[`(.+?)`\]\((.+?)\)", index, re.M)
    }
    assert found == PAGES | OWN_PLACE
    assert {page.stem for page in (DOCS / "rules").glob("*.md")} == {*PAGES, "index"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_cites_as_the_rule_does(name: str) -> None:
    assert re.findall(r"^```bibtex\n(.*?)\n```$", PAGES[name].read_text(), flags=re.S | re.M) == [citation(RULES[name])]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_defaults_of_every_key_of_its_rule(name: str) -> None:
    """The rule's own keys, and the others that the page names, as the default preset sets them."""
    rule = RULES[name]
    preset = next(iter(rule.presets.values())).settings
    told = dict(re.findall(r"^- `(\w+)=(.+?)`", PAGES[name].read_text(), flags=re.M))
    defaults = {key: str(preset.get(key, h.default)) for key, h in schema(rule, next(iter(rule.networks))).items()}
    assert told.keys() >= declarations(rule).keys()
    assert told == {key: defaults.get(key) for key in told}


def test_a_page_shows_the_drawing_that_is_made_now() -> None:
    script = runpy.run_path(str(DOCS / "rules" / "draw.py"))
    drawings = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "rules" / "drawings").iterdir()}
    assert drawings == {name: script["draw"](name) for name in PAGES}, "run python docs/rules/draw.py"
    assert set(script["RULES"]) == set(PAGES)
    for name, page in PAGES.items():
        assert f"](drawings/{name}.svg)" in page.read_text()


def test_every_relative_link_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.S)):
            if "://" in link:
                continue
            target, _, heading = link.partition("#")
            aim = page.parent / target if target else page
            assert aim.exists(), f"{page.name}: {link}"
            if heading:
                found = re.findall(r"^#+ (.+)$", aim.read_text(), flags=re.M)
                assert heading in [h.lower().replace(" ", "-") for h in found], f"{page.name}: {link}"


def test_every_page_is_in_the_menu_and_every_reproduction_in_its_list() -> None:
    menu = (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1]
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert set(re.findall(r"[\w/-]+\.md", menu)) == pages
    listed = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", (DOCS / "how-to" / "reproduce.md").read_text(), re.M)
    assert {name: tuple(rest) for name, *rest in listed} == {r.name: (r.title, r.source) for r in ALL}


def test_the_literature_is_told_as_the_audit_compares_it() -> None:
    page = (DOCS / "explanation" / "credit-assignment.md").read_text()
    rows = {title: row.split(" | ") for title, row in re.findall(r"^\| (.+?) \| (.+) \|$", page, re.M)}
    words = MARKS | {LIMIT: LIMIT, FINAL: f"but the {FINAL}"}
    assert all(rows[one.title] == [words[TABLE[rule, one.name]] for rule in COLUMNS] for one in LITERATURE)
