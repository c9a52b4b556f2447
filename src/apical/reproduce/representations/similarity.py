"""Do rules that learn differently come to see alike? Similarity of hidden representations (Kriegeskorte 2008)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

from apical.data.registry import load
from apical.files import write_atomically
from apical.report import Axis, Figure, IntervalPanel, render_static, write_page
from apical.report.markup import paragraph
from apical.report.theme import rule_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import as_csv, how
from apical.reproduce.representations.learners import HIDDEN, UNTRAINED, Features, Size, features, first, learners, rows

NAME = "representations"
TITLE = "Which rules come to see like backprop?"
CAPTION = (
    "Two networks see alike if pairs of images that lie far apart for one lie far apart for the other: the rank "
    "correlation of their distances (1 - correlation of activity in the last hidden layer) over all pairs of test "
    "images. Left: with backprop from another start; backprop's own row says how much two starts share. Right: of a "
    "rule with itself from other starts."
)
DIFFERENCE = "The review's notes ask what likeness of representations says, and have no numbers to set these beside."


def dissimilarity(activity: Features) -> Float[np.ndarray, " pairs"]:
    """1 - correlation between the activity for two images, for each pair of images; 1 where there is none."""
    centred = activity - activity.mean(1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(norm > 0, norm, 1)
    return 1 - (unit @ unit.T)[np.triu_indices(len(activity), 1)]


def similarity(one: Features, other: Features) -> float:
    """Spearman's correlation of the dissimilarities of two representations of the same images."""
    return float(np.asarray(spearmanr(dissimilarity(one), dissimilarity(other)))[0])


def make(request: Request) -> Path:
    """Trains the rules, compares what they see, and writes figure, table and page."""
    name = "digits" if request.quick else "mnist"
    dataset, size = load(name, data_dir=request.data_dir, trust=request.trust_data), Size.of(request.quick)
    size = replace(size, seeds=max(size.seeds, 2))  # a network is compared with those from other starts
    images, _ = first(dataset, "test", size.n_seen)
    seen = {(rule, seed): features(model, images) for rule, seed, model in learners(size, dataset)}
    to_backprop, to_itself = (_compared(seen, other) for other in ("backprop", None))
    limits = (0.0, 1.02)
    panels = (
        IntervalPanel("Likeness to backprop", Axis("rank correlation", limits=limits), rows(to_backprop)),
        IntervalPanel("Likeness to itself", Axis("rank correlation", limits=limits), rows(to_itself)),
    )
    figure = Figure(NAME, TITLE, CAPTION, panels)
    render_static(figure, request.out / "figures" / NAME)
    table = [
        (rule, i, kind, v)
        for kind, found in (("backprop", to_backprop), ("itself", to_itself))
        for rule, values in found.items()
        for i, v in enumerate(values)
    ]
    write_atomically(request.out / f"{NAME}.csv", as_csv(("rule", "pair", "compared_with", "similarity"), table))
    blocks = [
        paragraph(_seen(to_backprop), "headline"),
        figure,
        how((_conditions(name, size), DIFFERENCE, *dataset.warnings), request.command),
    ]
    return write_page(TITLE, blocks, request.out / f"{NAME}.html")


def _compared(seen: dict[tuple[str, int], Features], other: str | None) -> dict[str, list[float]]:
    """For each learner the similarity to `other` (none: itself), every two seeds once."""
    found: dict[str, list[float]] = {}
    for (rule, seed), activity in seen.items():
        for (against, later), second in seen.items():
            if against == (other or rule) and seed < later:
                found.setdefault(rule, []).append(similarity(activity, second))
    return found


def _seen(found: dict[str, list[float]]) -> str:
    means = {rule: np.mean(values) for rule, values in found.items()}
    others = {rule: value for rule, value in means.items() if rule not in ("backprop", UNTRAINED)}
    near = max(others, key=lambda rule: others[rule])
    return (
        f"{rule_name(near)} comes closest to backprop ({others[near]:.2f}); backprop from two starts reaches "
        f"{means['backprop']:.2f}, a network that has learnt nothing {means[UNTRAINED]:.2f}."
    )


def _conditions(dataset: str, size: Size) -> str:
    return (
        f"{HIDDEN[0]} hidden units, {size.epochs} epochs of {size.n_train:,} training images of {dataset}, distances "
        f"between {size.n_seen} test images, {size.seeds} seeds; each rule in its setting of comparisons."
    )


REPRESENTATIONS = Reproduction(NAME, TITLE, "the review's motivation: representational similarity", make)
