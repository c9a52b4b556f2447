"""Search spaces by name, from the declarations of a rule and its network."""

import dataclasses
from collections.abc import Iterator, Mapping

from apical.errors import InputError
from apical.hyperparameters import Hyperparameter, Value
from apical.rules.assembly import schema
from apical.rules.base import AbstractRule
from apical.rules.registry import find
from apical.study.dimension import Condition, Dimension
from apical.study.space import Space
from apical.training.config import Config

BATCH, LAYERS, UNITS = "batch_size", "layers", "units"
IMAGE_LAYER = ("channels", "kernels", "strides", "padding")
Range = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Named:
    """A space by name: whose declared ranges it takes, which ranges of the architecture, and how they are spread.

    `image` are the ranges of channels, kernels, strides and padding of each convolution, where those are searched.
    `even`: ranges are spread evenly, as published, else as the hyperparameter declares. `switches` tells whether
    switches are searched.
    """

    meaning: str
    ranges: str
    batch: Range
    layers: Range
    units: Range
    image: Mapping[str, Range] = dataclasses.field(default_factory=dict)
    even: bool = False
    switches: bool = True


_LANGE_IMAGE = {"channels": (3, 64), "kernels": (2, 10), "strides": (1, 3), "padding": (1, 3)}
_LANGE = Named(
    "the space of Lange's report (2019)", "lange-2019", (50, 500), (1, 6), (30, 500), _LANGE_IMAGE, even=True
)
SPACES = {
    "own": Named("the rule's own ranges, widths and depths of small networks", "own", (10, 200), (1, 3), (30, 500)),
    "lange-2019": _LANGE,
    "lange-2019-small": dataclasses.replace(
        _LANGE, meaning="the report's space for a hundredth of its images: batches a tenth as large", batch=(5, 50)
    ),
    "lange-2019-draft": dataclasses.replace(_LANGE, meaning="the space of the report's draft", batch=(10, 500)),
    "lange-2019-numbers": dataclasses.replace(
        _LANGE, meaning="the numbers of Lange's space; switches as the preset has them", switches=False
    ),
}


def find_space(name: str) -> Named:
    """The space of that name.

    **Raises** `InputError` with the list of names when there is none.
    """
    if name not in SPACES:
        raise InputError(f"--space {name}: choose from {', '.join(SPACES)}")
    return SPACES[name]


def build_space(name: str, config: Config, given: Mapping[str, Value], fixed: frozenset[str]) -> Space:
    """The space of that name around a configuration.

    What the user gave (`given` hyperparameters, and the words `hidden` and `batch_size` among `fixed`) and what the
    protocol sets is not searched, nor what does nothing under the configuration.

    **Raises** `InputError` when nothing is left to search.
    """
    named, rule = find_space(name), find(config.rule)
    known = schema(rule, config.network)
    kept = {*given, *set_by_protocol(rule, config.protocol, config.settings)}
    dimensions = [*_architecture(named, config, known, kept, fixed), *_declared(named, known, kept)]
    space = Space(_alive(dimensions, known, config.settings))
    if not len(space):
        raise InputError(f"--space {name} leaves nothing to search of {config.rule}: fix less, or choose another space")
    return space


def set_by_protocol(rule: type[AbstractRule], protocol: str, settings: Mapping[str, Value]) -> frozenset[str]:
    """The hyperparameters a protocol decides about, whatever the switches are: those it sets under any of them."""
    declared = rule.protocols.get(protocol)
    if declared is None:
        return frozenset()
    flipped = {k: not v if isinstance(v, bool) else v for k, v in settings.items()}
    return frozenset({*declared(settings), *declared(flipped)})


def _declared(named: Named, known: Mapping[str, Hyperparameter], kept: set[str]) -> Iterator[Dimension]:
    for name, declared in known.items():
        bounds = declared.search.get(named.ranges)
        if bounds is None or name in kept or (declared.kind == "switch" and not named.switches):
            continue
        when = tuple(Condition(parent, value) for parent, value in declared.needs)
        if declared.kind in ("switch", "choice"):
            yield Dimension(name, declared.kind, levels=tuple(bounds), when=when)
        else:
            low, high = bounds
            log = declared.scale == "log" and not named.even and low > 0
            yield Dimension(name, declared.kind, low, high, log, declared.static, when=when)


def _architecture(
    named: Named, config: Config, known: Mapping[str, Hyperparameter], kept: set[str], fixed: frozenset[str]
) -> Iterator[Dimension]:
    """Batch size, where the rule learns in batches; layers, and the sizes of the layers that exist."""
    low, high = named.batch
    if BATCH not in fixed and config.batch_size > 1:
        yield Dimension(BATCH, "integer", low, high, log=not named.even)
    searched = named.image if "channels" in known else {UNITS: named.units}
    if "hidden" in fixed or not searched or kept & set(IMAGE_LAYER):
        return
    low, high = named.layers
    yield Dimension(LAYERS, "integer", low, high)
    for i in range(1, high + 1):
        when = (Condition(LAYERS, i, at_least=True),) if i > low else ()
        for part, (least, most) in searched.items():
            log = part == UNITS and not named.even
            yield Dimension(f"{part}_{i}", "integer", least, most, log, when=when)


def _alive(
    dimensions: list[Dimension], known: Mapping[str, Hyperparameter], settings: Mapping[str, Value]
) -> Iterator[Dimension]:
    """The dimensions without conditions on what is not searched: fulfilled ones go, dimensions never there go too."""
    searched = {d.name for d in dimensions}
    for d in dimensions:
        outside = [c for c in d.when if c.parent not in searched]
        if any(c.holds(settings[c.parent]) and _acts(c.parent, known, settings) for c in outside):
            yield dataclasses.replace(d, when=())
        elif not d.when or len(outside) < len(d.when):
            yield dataclasses.replace(d, when=tuple(c for c in d.when if c.parent in searched))


def _acts(name: str, known: Mapping[str, Hyperparameter], settings: Mapping[str, Value]) -> bool:
    """Whether a fixed setting does anything, given what it needs."""
    needs = known[name].needs
    return not needs or any(settings[parent] == value for parent, value in needs)
