"""What Figure 3 draws and writes of a recording: panels for each stage of learning, and rows of a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from apical.probes.recording import PhaseRecording, Recording
from apical.report import Axis, Panel, Reference, Series, Span

COLUMNS = ("stage", "phase", "time_ms", "layer", "unit", "compartment", "value")
APICAL, MEAN, BASAL, SOMA, INK = "#d55e00", "#7a3300", "#0072b2", "#009e73", "#1d2530"
FORWARD, TARGET = "#5b6675", "#e69f00"
FAINT, STRONG = 0.06, 0.2
ROOM = 0.08

Row = tuple[str, str, float, str, int, str, float]
Line = Callable[[PhaseRecording], np.ndarray]


@dataclass(frozen=True)
class Stage:
    """A stage of learning: its name, one example recorded in it, and the class that the network takes it for."""

    name: str
    recording: Recording
    predicted: int


@dataclass(frozen=True)
class Shown:
    """Which units are shown: one of the (only) hidden layer, and the output unit of the right class."""

    hidden: int
    output: int

    def lines(self) -> dict[tuple[str, int, str], Line]:
        """Everything recorded of them over time, by layer, unit and compartment."""
        hidden, output = self.hidden, self.output
        return {
            ("hidden", hidden, "apical"): lambda phase: np.asarray(phase.apical[0][:, hidden]),
            ("hidden", hidden, "basal"): lambda phase: np.asarray(phase.basal[0][:, hidden]),
            ("hidden", hidden, "soma"): lambda phase: np.asarray(phase.somas[0][:, hidden]),
            ("hidden", hidden, "spikes"): lambda phase: np.asarray(phase.spikes[0][:, hidden]),
            ("output", output, "basal"): lambda phase: np.asarray(phase.basal[-1][:, output]),
            ("output", output, "soma"): lambda phase: np.asarray(phase.somas[-1][:, output]),
            ("output", output, "spikes"): lambda phase: np.asarray(phase.spikes[-1][:, output]),
        }


def phases(recording: Recording) -> dict[str, PhaseRecording]:
    """Both phases by name, in their order."""
    return {"forward": recording.forward, "target": recording.target}


def rows(stage: Stage, shown: Shown) -> Iterator[Row]:
    """The recording of the shown units, a row for each number; the plateau at its time."""
    for name, phase in phases(stage.recording).items():
        for (layer, unit, compartment), line in shown.lines().items():
            for time, value in zip(phase.times_ms, line(phase), strict=True):
                yield stage.name, name, float(time), layer, unit, compartment, float(value)
        time, value = phase.plateau_ms[0][shown.hidden], phase.plateaus[0][shown.hidden]
        yield stage.name, name, float(time), "hidden", shown.hidden, "plateau", float(value)


def panels(stages: tuple[Stage, Stage], shown: Shown, label: str) -> tuple[Panel, ...]:
    """Rows of panels: the hidden unit's apical dendrite, its basal dendrite and soma, the output unit of class `label`.

    A column for each stage; both have the same scale.
    """
    heads = ("Apical dendrite", "Basal dendrite and soma", f"Unit of class {label}")
    layers = ("hidden", "hidden", "output")
    drawn = [(_apical(s, shown), _body(s, shown, "hidden"), _body(s, shown, "output")) for s in stages]
    made = []
    for row, (head, layer) in enumerate(zip(heads, layers, strict=True)):
        low, high = _limits([series for column in drawn for series in column[row]])
        room = ROOM * (high - low)
        y = Axis(f"{layer} unit, potential", limits=(low - (2 * room if row else room), high + 2 * room))
        for stage, column in zip(stages, drawn, strict=True):
            strokes = (_strokes(stage, shown, layer, low - room),) if row else ()
            references = () if row else _plateaus(stage, shown)
            x, series = _time_axis(stage), (*column[row], *strokes)
            made.append(Panel(f"{head}, {stage.name}", x, y, series, references, _spans(stage)))
    return tuple(made)


def _over_time(stage: Stage, line: Line) -> tuple[np.ndarray, np.ndarray]:
    both = phases(stage.recording).values()
    return np.concatenate([np.asarray(p.times_ms) for p in both]), np.concatenate([line(p) for p in both])


def _apical(stage: Stage, shown: Shown) -> tuple[Series, ...]:
    line = shown.lines()["hidden", shown.hidden, "apical"]
    times, values = _over_time(stage, line)
    parts = []
    for phase in phases(stage.recording).values():
        mean = line(phase)[np.asarray(phase.times_ms) > phase.window_ms].mean()
        where = np.array([phase.window_ms, phase.end_ms])
        parts.append(Series("Its mean over the window", MEAN, where, np.full(2, mean), dash="dash"))
    return Series("Apical potential", APICAL, times, values), *parts


def _body(stage: Stage, shown: Shown, layer: str) -> tuple[Series, ...]:
    """Basal and somatic potential of the unit of that layer."""
    lines = {compartment: line for (place, _, compartment), line in shown.lines().items() if place == layer}
    times, basal = _over_time(stage, lines["basal"])
    soma = _over_time(stage, lines["soma"])[1]
    return Series("Basal potential", BASAL, times, basal), Series("Soma", SOMA, times, soma)


def _strokes(stage: Stage, shown: Shown, layer: str, height: float) -> Series:
    """Steps in which the unit of that layer fired."""
    line = next(line for (place, _, what), line in shown.lines().items() if (place, what) == (layer, "spikes"))
    times, counts = _over_time(stage, line)
    fired = times[counts > 0]
    return Series("Spikes", INK, fired, np.full(len(fired), height), marker="bar", kind="point")


def _limits(series: list[Series]) -> tuple[float, float]:
    """The smallest and the largest number drawn, 0 included."""
    values = np.concatenate([np.zeros(1), *(s.mean for s in series)])
    return float(values.min()), float(max(values.max(), values.min() + 0.1))


def _time_axis(stage: Stage) -> Axis:
    """Time, with ticks where a phase or a window begins or ends."""
    both = phases(stage.recording).values()
    ticks = sorted({t for p in both for t in (p.start_ms, p.window_ms, p.end_ms)})
    return Axis("ms from the start of the example", limits=(ticks[0], ticks[-1]), ticks=tuple(ticks))


def _plateaus(stage: Stage, shown: Shown) -> tuple[Reference, ...]:
    """Lines at the times of the plateaus, with their values."""
    recorded = phases(stage.recording).values()
    found = [(float(p.plateau_ms[0][shown.hidden]), float(p.plateaus[0][shown.hidden])) for p in recorded]
    return tuple(Reference(time, f"plateau {value:.2f}", "x") for time, value in found)


def _spans(stage: Stage) -> tuple[Span, ...]:
    spans = []
    for (name, phase), colour in zip(phases(stage.recording).items(), (FORWARD, TARGET), strict=True):
        spans.append(Span(phase.start_ms, phase.window_ms, f"{name} phase", colour, FAINT))
        spans.append(Span(phase.window_ms, phase.end_ms, "window", colour, STRONG))
    return tuple(spans)
