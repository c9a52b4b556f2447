"""How rules look and what they are called: one colour, dash and marker per rule, the same in every figure.

The colours come from the palettes of Okabe & Ito and of Paul Tol, made for colour-blind readers; where two rules come
close to each other, their dash patterns differ.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from apical.report.figure import Dash, Marker

EN_DASH, MINUS, TIMES, PLUS_MINUS, DEGREE, DOT = "\u2013", "\u2212", "\u00d7", "\u00b1", "\u00b0", "\u00b7"


@dataclass(frozen=True)
class Style:
    """Colour (#rrggbb), dash pattern of lines and shape of points."""

    colour: str
    dash: Dash = "solid"
    marker: Marker = "circle"


RULE_NAMES = {
    "backprop": "Backprop",
    "feedback-alignment": "Feedback alignment",
    "direct-feedback-alignment": "Direct feedback alignment",
    "sign-symmetry": "Sign symmetry",
    "kolen-pollack": f"Kolen{EN_DASH}Pollack",
    "weight-mirror": "Weight mirror",
    "target-propagation": "Target propagation",
    "difference-target-propagation": "Difference target propagation",
    "simplified-dtp": "Simplified DTP",
    "ao-sdtp": "Auxiliary-output SDTP",
    "direct-dtp": "Direct DTP",
    "segregated-dendrites": "Segregated dendrites",
    "microcircuit": "Dendritic microcircuit",
    "spiking-microcircuit": "Spiking microcircuit",
}

RULE_STYLES = {
    "backprop": Style("#111111", "solid", "circle"),
    "feedback-alignment": Style("#0072b2", "solid", "square"),
    "direct-feedback-alignment": Style("#56b4e9", "solid", "diamond"),
    "sign-symmetry": Style("#332288", "dash", "triangle"),
    "kolen-pollack": Style("#0072b2", "dot", "circle"),
    "weight-mirror": Style("#56b4e9", "dash", "square"),
    "target-propagation": Style("#d55e00", "solid", "diamond"),
    "difference-target-propagation": Style("#e69f00", "solid", "triangle"),
    "simplified-dtp": Style("#d55e00", "dot", "circle"),
    "ao-sdtp": Style("#e69f00", "dash", "square"),
    "direct-dtp": Style("#8c564b", "dashdot", "diamond"),
    "segregated-dendrites": Style("#c8659b", "solid", "diamond"),
    "microcircuit": Style("#009e73", "solid", "triangle"),
    "spiking-microcircuit": Style("#117733", "dash", "circle"),
}

_SPARE_COLOURS = ("#882255", "#44aa99", "#999933", "#661100", "#6699cc", "#997700")
_SPARE_DASHES: tuple[Dash, ...] = ("solid", "dash", "dot", "dashdot")
_SPARE_MARKERS: tuple[Marker, ...] = ("circle", "square", "diamond", "triangle")
_SPARE_STYLES = tuple(
    Style(c, d, m) for d, m in zip(_SPARE_DASHES, _SPARE_MARKERS, strict=True) for c in _SPARE_COLOURS
)

DATASET_NAMES = {
    "digits": "Digits",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "imagenet-folder": "ImageNet",
    "bars": "Bars",
    "teacher": "Teacher task",
    "self-prediction": "Self-prediction",
    "two-moons": "Two moons",
    "yin-yang": "Yin-yang",
}

NETWORK_NAMES = {"mlp": "fully connected", "cnn": "convolutional", "lc": "locally connected"}

_RULE_ORDER = {name: index for index, name in enumerate(RULE_NAMES)}


def rule_name(rule: str) -> str:
    """The name of a rule for people; an unknown one is made readable."""
    return RULE_NAMES.get(rule) or rule.replace("-", " ").capitalize()


def dataset_name(dataset: str) -> str:
    """The name of a data set for people."""
    return DATASET_NAMES.get(dataset, dataset)


def network_name(network: str) -> str:
    """The name of a kind of network for people."""
    return NETWORK_NAMES.get(network, network)


def rule_order(rule: str) -> tuple[int, str]:
    """Sort key: the rules of the registry in their order, then any other by name."""
    return _RULE_ORDER.get(rule, len(_RULE_ORDER)), rule


def styles(labels: Sequence[str]) -> dict[str, Style]:
    """A style for every label: a rule's own, else a spare one chosen by the label, so that it stays from run to run.

    Two labels share a style only when there are more unknown labels than the 24 spare ones.
    """
    chosen = {label: RULE_STYLES[label] for label in labels if label in RULE_STYLES}
    taken: set[int] = set()
    for label in sorted(set(labels) - chosen.keys()):
        slot = zlib.crc32(label.encode()) % len(_SPARE_STYLES)
        free = (index % len(_SPARE_STYLES) for index in range(slot, slot + len(_SPARE_STYLES)))
        slot = next((index for index in free if index not in taken), slot)
        taken.add(slot)
        chosen[label] = _SPARE_STYLES[slot]
    return chosen


def slug(text: str) -> str:
    """`text` as a part of a file name: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"
