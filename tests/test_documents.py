"""The programs printed in README and CONTRIBUTING run, and the rule of the guide learns."""

import re
import runpy
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from apical.core import Batch
from apical.data.registry import load
from apical.rules.assembly import assemble
from apical.rules.registry import citation

ROOT = Path(__file__).parent.parent


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
