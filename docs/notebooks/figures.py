"""Figures from run folders: every curve of a report, one at a time, with the numbers behind it.

Open with `marimo edit docs/notebooks/figures.py`, or run it as a program: `python docs/notebooks/figures.py`.
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
    from apical.report.figures import FIGURES
    from apical.report.runs import find_run_folders, read_run
    from apical.report.static import render_static
    from apical.training.config import Request, resolve
    from apical.training.run import run

    return (
        FIGURES,
        Path,
        Request,
        compare_runs,
        find_run_folders,
        load,
        mkdtemp,
        mo,
        read_run,
        render_static,
        resolve,
        run,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Figures

        Name the folder of any `train` or `compare` command below. Without one, two rules are trained quickly so that
        there is something to see.
        """
    )
    return


@app.cell
def _():
    folder_of_runs = ""
    return (folder_of_runs,)


@app.cell
def _(Path, Request, folder_of_runs, load, mkdtemp, resolve, run):
    root = Path(folder_of_runs or mkdtemp())
    if not folder_of_runs:
        digits = load("digits")
        for rule in ("backprop", "feedback-alignment"):
            run(resolve(Request(rule, hidden=(50,), epochs=3), digits), digits, root / rule)
    return (root,)


@app.cell
def _(FIGURES, Path, compare_runs, find_run_folders, mkdtemp, mo, read_run, render_static, root):
    comparisons = compare_runs(map(read_run, find_run_folders([root])))
    drawn = [figure for c in comparisons for make in FIGURES if (figure := make(c)) is not None]
    pictures = Path(mkdtemp())
    for figure in drawn:
        render_static(figure, pictures / figure.name)
    mo.vstack(
        [mo.vstack([mo.md(f"## {f.title}"), mo.image(pictures / f"{f.name}.png"), mo.md(f.caption)]) for f in drawn]
    )
    return (comparisons,)


@app.cell
def _(comparisons):
    for comparison in comparisons:
        for one in comparison.runs:
            curve = one.trace("validation", "", "accuracy")
            print(one.rule, [] if curve is None else [round(float(value), 3) for value in curve.value])
    return


if __name__ == "__main__":
    app.run()
