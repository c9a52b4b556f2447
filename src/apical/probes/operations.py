"""What a program does, counted from its operations, with every loop multiplied by how often it runs.

The compiler's own analysis counts the body of a loop once, which for a rule that simulates time is wrong by the number
of its steps. Here the traced program is read instead: loops of a known length count that often, of two branches the
costlier one counts, and what no result needs does not. A loop whose length is known only when it runs counts once, and
is reported.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.extend import core
from jax.interpreters import partial_eval

# fmt: off
ELEMENTWISE = frozenset(
    (
        "add", "sub", "mul", "div", "max", "min", "neg", "abs", "sign", "sqrt", "rsqrt", "square", "pow",
        "integer_pow", "exp", "exp2", "expm1", "log", "log1p", "tanh", "logistic", "erf", "erf_inv", "sin",
        "cos", "tan", "floor", "ceil", "round", "cumsum", "add_any",
    )
)
# fmt: on
REDUCTIONS = frozenset(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"))
MOVES = frozenset(("gather", "scatter", "scatter-add", "dynamic_slice", "dynamic_update_slice", "sort"))


@dataclass(frozen=True)
class Operations:
    """`flops` are floating-point operations, a transcendental function counting as one; `bytes` what products,
    reductions, gathers and scatters read and write (what lies between them can stay in registers); `depth` the
    longest chain of products that wait for each other; `open_loops` how many loops of unknown length counted once."""

    flops: float = 0.0
    bytes: float = 0.0
    depth: float = 0.0
    open_loops: int = 0


def count(function: Callable[..., Any], *arguments: Any) -> Operations:
    """The operations of a function of these arguments, arrays or their shapes; nothing is run."""
    dynamic, static = eqx.partition(
        arguments, lambda leaf: eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)
    )

    def called(dynamic: Any) -> Any:
        return eqx.filter(function(*eqx.combine(dynamic, static)), eqx.is_array)

    traced = jax.make_jaxpr(called)(dynamic).jaxpr
    needed, _ = partial_eval.dce_jaxpr(traced, [True] * len(traced.outvars))
    return _program(needed)


def _program(jaxpr: core.Jaxpr) -> Operations:
    """The sum over all equations, and the longest chain through them."""
    flops, moved, open_loops = 0.0, 0.0, 0
    reached: dict[Any, float] = {}
    for equation in jaxpr.eqns:
        found = _equation(equation)
        flops, moved, open_loops = flops + found.flops, moved + found.bytes, open_loops + found.open_loops
        start = max((reached.get(v, 0.0) for v in equation.invars if not isinstance(v, core.Literal)), default=0.0)
        reached.update(dict.fromkeys(equation.outvars, start + found.depth))
    return Operations(flops, moved, max(reached.values(), default=0.0), open_loops)


def _equation(equation: core.JaxprEqn) -> Operations:
    name = equation.primitive.name
    if name == "scan":
        return _times(_program(equation.params["jaxpr"].jaxpr), equation.params["length"])
    if name == "while":
        body = _program(equation.params["body_jaxpr"].jaxpr)
        return Operations(body.flops, body.bytes, body.depth, body.open_loops + 1)
    if name == "cond":
        return max((_program(branch.jaxpr) for branch in equation.params["branches"]), key=lambda o: o.flops)
    inner = [_program(getattr(p, "jaxpr", p)) for p in equation.params.values() if _is_program(p)]
    return inner[0] if inner else _single(name, equation)


def _is_program(parameter: Any) -> bool:
    return isinstance(parameter, core.Jaxpr | core.ClosedJaxpr)


def _single(name: str, equation: core.JaxprEqn) -> Operations:
    """One equation without a program inside."""
    inputs, outputs = (_shapes(side) for side in (equation.invars, equation.outvars))
    if not any(jnp.issubdtype(a.dtype, jnp.floating) for a in (*inputs, *outputs) if hasattr(a, "dtype")):
        return Operations()
    moved = float(sum(a.size * a.dtype.itemsize for a in (*inputs, *outputs)))
    if name == "dot_general":
        (summed, _), _ = equation.params["dimension_numbers"]
        return Operations(2.0 * outputs[0].size * math.prod(inputs[0].shape[i] for i in summed), moved, 1.0)
    if name == "conv_general_dilated":
        return Operations(2.0 * outputs[0].size * _seen(equation, inputs[1].shape), moved, 1.0)
    if name in REDUCTIONS:
        return Operations(float(inputs[0].size), moved)
    if name in ELEMENTWISE:
        return Operations(float(outputs[0].size))
    return Operations(0.0, moved if name in MOVES else 0.0)


def _shapes(variables: Sequence[Any]) -> list[Any]:
    return [variable.aval for variable in variables]


def _seen(equation: core.JaxprEqn, kernel: Sequence[int]) -> int:
    """How many inputs a unit of a convolution adds up."""
    spec = equation.params["dimension_numbers"].rhs_spec
    return math.prod(kernel[i] for i in spec[1:])


def _times(once: Operations, n: int) -> Operations:
    return Operations(n * once.flops, n * once.bytes, n * once.depth, once.open_loops)
