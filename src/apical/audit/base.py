"""What a property is, and what is found of it."""

from collections.abc import Callable
from dataclasses import dataclass

from apical.audit.subject import Subject

YES, NO, NOT_APPLICABLE = "yes", "no", "-"
PARTLY, LIMIT, FINAL, SIGNS = "partly", "in the limit", "final layer", "signs only"

NOTHING = 1e-6  # relative responses below are rounding: everything is computed in double precision


@dataclass(frozen=True)
class Cell:
    """What was found: the verdict, and how: the number, the threshold, and what was done."""

    value: str
    evidence: str


@dataclass(frozen=True)
class Property:
    """A property: its name in files, its title and question for people, and its one measured definition."""

    name: str
    title: str
    question: str
    definition: str
    measure: Callable[[Subject], Cell]


def verdict(holds: bool) -> str:
    """Yes or no."""
    return YES if holds else NO


def number(value: float) -> str:
    """A measured number in an evidence: three digits, and nothing but 0 for what is exactly zero."""
    return "0" if value == 0 else f"{value:.3g}"


def numbers(values: list[float]) -> str:
    """Numbers of several layers, from the input up."""
    return ", ".join(map(number, values))
