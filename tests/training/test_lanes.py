"""Seeds trained together as lanes of one program are what they would be alone."""

from pathlib import Path

import jax
import numpy as np
import pytest

from apical.data.dataset import Examples
from apical.data.registry import load
from apical.training.config import Config, Request, resolve
from apical.training.feed import Resident, Window
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.lane import split_for
from apical.training.progress import Progress
from apical.training.run_folder import Row, RunFolder
from apical.training.train import Summary, train

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def feeds() -> Feeds:
    return Feeds.of(load("digits"))


def configurations(seeds: tuple[int, ...] = SEEDS, **changes: object) -> list[Config]:
    request = {"hidden": (8,), "epochs": 3, "examples": 100, "batch_size": 10, "log_every": 40} | changes
    return [resolve(Request("backprop", seed=seed, **request), load("digits")) for seed in seeds]


def run(configs: list[Config], out: Path, feeds: Feeds) -> list[Summary]:
    """Trains configurations together."""
    folders = [out / str(config.seed) for config in configs]
    with Progress(quiet=True) as progress:
        return train(configs, folders, feeds, {}, Interrupt(), progress, out / "state.safetensors")


def alone(configs: list[Config], out: Path, feeds: Feeds) -> list[Summary]:
    """Trains configurations one after the other."""
    return [run([config], out / f"alone-{config.seed}", feeds)[0] for config in configs]


def rows(folder: Path) -> list[Row]:
    return RunFolder(folder).read_metrics(10**9)


@pytest.mark.parametrize("batch_size", [10, 1])  # side by side; in turn
def test_lanes_equal_runs_alone(feeds: Feeds, tmp_path: Path, batch_size: int) -> None:
    """Within what float32 makes of another order of sums: losses to 1e-4, accuracies to one example."""
    configs = configurations(batch_size=batch_size)
    together, apart = run(configs, tmp_path, feeds), alone(configs, tmp_path, feeds)
    for seed, a, b in zip(SEEDS, together, apart, strict=True):
        assert (a["seed"], a["status"], b["status"]) == (seed, "finished", "finished")
        assert a["test_loss"] == pytest.approx(b["test_loss"], rel=1e-4)
        assert a["test_accuracy"] == pytest.approx(b["test_accuracy"], abs=1.5 / 360)
        ours, theirs = rows(tmp_path / str(seed)), rows(tmp_path / f"alone-{seed}" / str(seed))
        assert [row[:-1] for row in ours] == [row[:-1] for row in theirs]
        for row, other in zip(ours, theirs, strict=True):
            if row.name == "accuracy":
                assert row.value == pytest.approx(other.value, abs=1.5 / 40)
            elif row.name in ("loss", "weight_norm"):
                assert row.value == pytest.approx(other.value, rel=1e-4)
    assert together[0]["test_loss"] != pytest.approx(together[1]["test_loss"], rel=1e-3)


def test_each_lane_has_its_own_split() -> None:
    digits = load("digits")
    first, second = (split_for(config, digits) for config in configurations())
    for part in (first, second):
        assert len(part.training) == 100 and not set(part.training) & set(part.validation)
    assert set(first.training) != set(second.training) and set(first.validation) != set(second.validation)
    again = split_for(configurations()[0], digits)
    np.testing.assert_array_equal(again.training, first.training)


def test_a_seed_draws_its_own_weights_and_order(feeds: Feeds, tmp_path: Path) -> None:
    run(configurations(epochs=0), tmp_path, feeds)
    norms = [next(r.value for r in rows(tmp_path / str(seed)) if r.name == "weight_norm") for seed in SEEDS]
    assert norms[0] != norms[1]


class Recording(Resident):
    """A feed that keeps the rows of examples it was asked for."""

    def __init__(self, examples: Examples) -> None:
        super().__init__(examples)
        self.rows: list[np.ndarray] = []

    def window(self, order: jax.Array, start: int, stop: int) -> Window:
        self.rows.append(np.asarray(order)[..., start:stop, :])
        return super().window(order, start, stop)


def test_each_epoch_goes_once_through_each_lanes_own_training_part_in_an_order_of_its_own(tmp_path: Path) -> None:
    digits = load("digits")
    source = Recording(digits.train)
    configs = configurations(epochs=2, examples=105)
    run(configs, tmp_path, Feeds(digits, source, Resident(digits.test)))
    assert [rows.shape for rows in source.rows] == [(2, n, 10) for n in (4, 4, 2)] * 2
    orders = [np.concatenate(source.rows[3 * epoch : 3 * epoch + 3], axis=1).reshape(2, -1) for epoch in (0, 1)]
    for lane, config in enumerate(configs):
        training = set(split_for(config, digits).training.tolist())
        for order in orders:
            assert len(set(order[lane].tolist())) == 100 and set(order[lane].tolist()) <= training
        assert not np.array_equal(orders[0][lane], orders[1][lane])
    assert not np.array_equal(orders[0][0], orders[0][1])


UNSTABLE = {"hidden": (8, 8), "epochs": 6, "settings": {"optimiser": "sgd", "activation": "identity", "rate": 0.25}}


def test_a_lane_that_diverges_takes_no_other_with_it(feeds: Feeds, tmp_path: Path) -> None:
    configs = configurations((1, 5), **UNSTABLE)
    apart = alone(configs, tmp_path, feeds)
    assert [s["status"] for s in apart] == ["finished", "diverged"]
    together = run(configs, tmp_path, feeds)
    assert [s["status"] for s in together] == ["finished", "diverged"]
    last = [rows(tmp_path / str(config.seed))[-1].step for config in configs]
    assert last[0] == 60 > last[1]
    assert last[1] == rows(tmp_path / "alone-5" / "5")[-1].step
    assert together[0]["test_accuracy"] > 0.2 and together[1]["test_loss"] is None


def test_a_diverged_run_is_the_same_after_its_process_died(feeds: Feeds, tmp_path: Path) -> None:
    """Its last checkpoint is written before its summary; what dies in between must not learn on from nothing."""
    (config,) = configurations((5,), **UNSTABLE)
    (before,) = run([config], tmp_path, feeds)
    folder = tmp_path / "5"
    kept = {name: (folder / name).read_bytes() for name in ("metrics.csv", "weights.safetensors")}
    for name in ("summary.json", "weights.safetensors"):
        (folder / name).unlink()
    (after,) = run([config], tmp_path, feeds)
    assert before["status"] == after["status"] == "diverged"
    assert {name: (folder / name).read_bytes() for name in kept} == kept
