"""Backprop networks: train a multilayer perceptron and a convolutional network, look at both, repeat the search.

Open with `marimo edit docs/notebooks/backprop.py`, or run it as a program: `python docs/notebooks/backprop.py`.
"""

import marimo

app = marimo.App()


@app.cell
def _():
    from pathlib import Path
    from tempfile import mkdtemp

    import marimo as mo

    from apical.data.registry import load
    from apical.report.comparison import compare_runs
    from apical.report.figures.learning import learning_curves
    from apical.report.figures.results import results
    from apical.report.runs import read_run
    from apical.report.static import render_static
    from apical.training.config import Request, resolve
    from apical.training.run import run

    return (
        Path,
        Request,
        compare_runs,
        learning_curves,
        load,
        mkdtemp,
        mo,
        read_run,
        render_static,
        resolve,
        results,
        run,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Backprop, the reference

        Two networks that backprop trains well: one of dense layers, one that shares its weights over the image. Change
        the data set, the widths or the number of epochs below; the cells that depend on them run again.
        """
    )
    return


@app.cell
def _():
    dataset_name, hidden, epochs, seeds = "digits", (50,), 3, (0, 1)
    return dataset_name, epochs, hidden, seeds


@app.cell
def _(Path, Request, dataset_name, epochs, hidden, load, mkdtemp, resolve, run, seeds):
    dataset, folder = load(dataset_name), Path(mkdtemp())
    folders = []
    for network, widths in (("mlp", hidden), ("cnn", ())):
        for seed in seeds:
            request = Request("backprop", dataset_name, network=network, hidden=widths, epochs=epochs, seed=seed)
            folders.append(folder / f"{network}-{seed}")
            summary = run(resolve(request, dataset), dataset, folders[-1])
            print(network, seed, f"{100 * summary['test_accuracy']:.1f} %, {summary['parameters']:,} parameters")
    return folder, folders


@app.cell
def _(compare_runs, folder, folders, learning_curves, mo, read_run, render_static, results):
    comparisons = compare_runs(map(read_run, folders))
    drawn = [make(c) for c in comparisons for make in (results, learning_curves)]
    for one in filter(None, drawn):
        render_static(one, folder / one.name)
    mo.vstack([mo.image(folder / f"{one.name}.png") for one in filter(None, drawn)])
    return


if __name__ == "__main__":
    app.run()
