"""From names and values to a rule: which hyperparameters it has in all, and the rule built from them."""

from collections.abc import Mapping

from apical import hyperparameters
from apical.errors import InputError
from apical.hyperparameters import Hyperparameter, Value, declarations
from apical.networks.base import AbstractNetwork
from apical.rules.base import AbstractRule


def network_class(rule: type[AbstractRule], network: str) -> type[AbstractNetwork]:
    """The class of network of that name for a rule.

    **Raises** `InputError` when the rule does not act on such a network.
    """
    if network not in rule.networks:
        raise InputError(f"{rule.name} has no network {network!r}: choose from {', '.join(rule.networks)}")
    return rule.networks[network]


def schema(rule: type[AbstractRule], network: str) -> dict[str, Hyperparameter]:
    """Every hyperparameter of a rule on a network, by name: the rule's own, its optimisers', the network's."""
    parts = (rule, *rule.plasticity.values(), network_class(rule, network))
    return {name: declaration for part in parts for name, declaration in declarations(part).items()}


def complete(rule: type[AbstractRule], network: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """All settings of a rule: those given, checked, and the defaults of the others.

    **Raises** `InputError` for an unknown name or a value that is not valid.
    """
    return hyperparameters.complete(f"hyperparameter of {rule.name}", schema(rule, network), given)


def assemble(
    rule: type[AbstractRule],
    network: str,
    shape: tuple[int, ...],
    classes: int,
    hidden: tuple[int, ...],
    settings: Mapping[str, Value],
) -> AbstractRule:
    """A rule over a network for inputs of `shape` and so many classes.

    **Raises** `InputError` for a layer without units, an unknown setting, or one that is not valid.
    """
    if any(width < 1 for width in hidden):
        raise InputError(f"hidden={','.join(map(str, hidden))}: every hidden layer needs at least one unit")
    values = complete(rule, network, settings)

    def own(part: type) -> dict[str, Value]:
        return {name: values[name] for name in declarations(part)}

    wiring = network_class(rule, network)
    built = wiring(shape=shape, classes=classes, hidden=hidden, **own(wiring))  # type: ignore[call-arg]
    optimisers = {group: cls(**own(cls)) for group, cls in rule.plasticity.items()}
    moving = {group: optimiser for group, optimiser in optimisers.items() if not optimiser.frozen}
    return rule(network=built, optimisers=moving, **own(rule))  # type: ignore[call-arg]
