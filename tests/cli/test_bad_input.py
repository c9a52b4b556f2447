"""Every mistake a user can make: exit code 2, one line that names the fix, and nothing written."""

from pathlib import Path

import pytest

from apical.cli.main import BAD_INPUT, main

MISTAKES = {
    "train bakprop --out {out}": "did you mean 'backprop'",
    "train --out {out}": "name a rule",
    "train backprop": "--out",
    "train backprop --out {out} --dataset mnst": "did you mean mnist",
    "train backprop --out {out} --dataset mnist --data-dir {empty}": "apical data fetch mnist",
    "train backprop --out {out} --preset fast": "default, lange-2019",
    "train backprop --out {out} --network rnn": "mlp, cnn, lc",
    "train segregated-dendrites --out {out} --network cnn": "choose from mlp",
    "train backprop --out {out} --network cnn --dataset two-moons": "--network mlp",
    "train backprop --out {out} --network cnn --set kernels=40": "fewer or smaller layers",
    "train backprop --out {out} --network cnn --set strides=1,1,1": "give one, or 2",
    "train backprop --out {out} --set rte=1": "did you mean 'rate'",
    "train backprop --out {out} --set rate": "key=value",
    "train backprop --out {out} --set rate=fast": "a number",
    "train backprop --out {out} --set rate=nan": "a number",
    "train backprop --out {out} --set rate=inf": "a number",
    "train backprop --out {out} --set rate=-1": "at least 0",
    "train backprop --out {out} --set rate=.1,.1,.1,.1": "a pair hidden,output",
    "train backprop --out {out} --set optimiser=sgdd": "one of sgd",
    "train backprop --out {out} --set batch_norm=perhaps": "true or false",
    "train backprop --out {out} --set protocol=mine": "one of apical, best-validation, refit, paper, lange-2019",
    "train segregated-dendrites --out {out} --set max_rate=0": "above 0",
    "train segregated-dendrites --out {out} --set e_inh=8": "at most 0",
    "train segregated-dendrites --out {out} --set dt_ms=0.3": "does not divide forward_steps",
    "train segregated-dendrites --out {out} --set settling_steps=50": "leaves nothing of forward_steps",
    "train segregated-dendrites --out {out} --set learn_feedback=on symmetric_feedback=on": "contradicts",
    "train segregated-dendrites --out {out} --set noisy_symmetric_feedback=on": "set symmetric_feedback=true too",
    "train backprop --out {out} --epochs -1": "at least 0",
    "train backprop --out {out} --epochs many": "--epochs",
    "train backprop --out {out} --batch-size 0": "at least 1",
    "train backprop --out {out} --batch-size 1294": "1293 training examples",
    "train backprop --out {out} --examples 20 --batch-size 21": "20 training examples",
    "train backprop --out {out} --examples 1294": "has 1293",
    "train backprop --out {out} --hidden 0": "at least one unit",
    "train backprop --out {out} --hidden a,b": "--hidden",
    "train backprop --out {out} --seed -1": "at least 0",
    "train backprop --out {out} --log-every 0": "at least 1",
    "train backprop --out {out} --config {empty}/none.toml": "cannot read",
    "train backprop --out {file}": "is a file",
    "train backprop --out {full}": "--resume",
    "train backprop --out /proc/apical": "cannot be written",
    "compare --out {out} --rules backprop,dfa": "choose from",
    "compare --out {out} --seeds 0": "at least one",
    "compare --out {out} --batch-size 5000": "1293 training examples",
    "compare --out {full}": "--resume",
    "compare --out {out} --network none": "choose from",
    "study bakprop --out {out}": "did you mean 'backprop'",
    "study backprop --out {out} --space mine": "choose from own, lange-2019",
    "study backprop --out {out} --sampler grid": "choose from gp-ucb",
    "study backprop --out {out} --sampler random --kappa 1": "leave it out",
    "study backprop --out {out} --trials 0": "at least 1",
    "study backprop --out {out} --folds 1": "at least 2",
    "study backprop --out {out} --folds 5000": "folds do not fit",
    "study backprop --out {out} --batch-size 5000": "training examples of a fold",
    "study backprop --out {out} --examples 5000": "there are 1437 training examples",
    "study backprop --out {out} --workers 0": "at least one",
    "study backprop --out {out} --dataset teacher": "no classes",
    "study backprop --out {out} --storage nonsense": "cannot be opened",
    "study backprop --out {out} --hidden 50 --batch-size 20 --set rate=1e-3": "leaves nothing to search",
    "study backprop --out {full}": "--resume",
    "report {empty} --out {out}": "holds no run",
    "report {empty}/none --out {out}": "there is no folder",
    "reproduce figure-99 --out {out}": "figure-4",
    "reproduce --out {out}": "--list",
    "reproduce figure-4 --out {out} --data-dir {empty}": "apical data fetch",
    "rules nothing": "choose from",
    "cite nothing": "choose from",
    "data verify nothing": "digits",
    "fly": "choose from",
    "": "COMMAND",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_one_line_and_nothing_written(line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    empty, full, file, out = tmp_path / "empty", tmp_path / "full", tmp_path / "file", tmp_path / "new" / "out"
    empty.mkdir()
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    file.write_text("mine")
    code = main(line.format(out=out, empty=empty, full=full, file=file).split())
    said = capfd.readouterr()
    assert code == BAD_INPUT
    assert said.out == "" and said.err.count("\n") == 1, said
    assert MISTAKES[line] in said.err
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["empty", "file", "full", "notes.txt"]
