"""Segregated dendrites: train them, watch one cell through both phases, and see which switches matter.

Open with `marimo edit docs/notebooks/dendrites.py`, or run it as a program: `python docs/notebooks/dendrites.py`.
"""

import marimo

app = marimo.App()


@app.cell
def _():
    from pathlib import Path
    from tempfile import mkdtemp

    import jax
    import jax.numpy as jnp
    import jax.random as jr
    import marimo as mo
    import matplotlib.pyplot as plt
    import numpy as np

    from apical.data.registry import load
    from apical.probes.recording import record_example
    from apical.rules.assembly import assemble
    from apical.rules.registry import find
    from apical.training.config import Request, resolve
    from apical.training.run import run

    return Path, Request, assemble, find, jax, jnp, jr, load, mkdtemp, mo, np, plt, record_example, resolve, run


@app.cell
def _(mo):
    mo.md(
        """
        # Segregated dendrites

        A cell hears the world at its basal dendrites and the output at its apical one. It is shown an example freely,
        then with the output driven to the right answer; the difference of its two plateau potentials teaches it.
        """
    )
    return


@app.cell
def _(Path, Request, load, mkdtemp, resolve, run):
    digits, folder = load("digits"), Path(mkdtemp())
    variants = {"as it is": {}, "symmetric feedback": {"symmetric_feedback": True}, "sparse": {"sparse_feedback": True}}
    for variant, switches in variants.items():
        request = Request("segregated-dendrites", preset="rate", hidden=(50,), epochs=3, settings=switches)
        summary = run(resolve(request, digits), digits, folder / variant.replace(" ", "-"))
        print(
            f"{variant}: {100 * summary['test_accuracy']:.1f} %, angle {summary['angle_to_backprop_mean']:.0f} degrees"
        )
    return (digits,)


@app.cell
def _(assemble, digits, find, jax, jnp, jr, np, record_example):
    settings = {"random_phase_lengths": False}
    rule = assemble(find("segregated-dendrites"), "mlp", digits.shape, digits.n_outputs, (50,), settings)
    weights = rule.init_weights(jr.key(0))
    image, label = jnp.asarray(digits.train.take(np.arange(1))[0]), jnp.asarray(digits.train.labels[0])
    recording = jax.jit(lambda key: record_example(rule.network, weights, None, image, label, key))(jr.key(1))
    return (recording,)


@app.cell
def _(plt, recording):
    figure, axes = plt.subplots(3, 1, sharex=True, figsize=(7, 5), layout="constrained")
    for phase, colour in ((recording.forward, "tab:blue"), (recording.target, "tab:orange")):
        for ax, part in zip(axes, ("basal", "apical", "somas"), strict=True):
            ax.plot(phase.times_ms, getattr(phase, part)[0][:, 0], color=colour)
            ax.set_ylabel(part)
            ax.axvspan(phase.window_ms, phase.end_ms, color=colour, alpha=0.1)
    axes[-1].set_xlabel("ms: shown freely (blue), then taught (orange); shaded: averaged")
    figure
    return


if __name__ == "__main__":
    app.run()
