"""The studies of a microcircuit's parameters on the bars, each a declaration."""

from apical.reproduce.microcircuit.studies import Case, Study

SETTLED = {"engine": "steady-state", "plasticity_steps": 20, "tau_delta_ms": None, "readout_lag_ms": 0.0}
THESIS = "Gille 2023"
MIXED = 0.06 / 0.19  # lambda of the preset


def along(key: str, *values: float) -> tuple[Case, ...]:
    """One case for each value of a setting."""
    return tuple(Case(value, {key: value}) for value in values)


def named(*cases: tuple[str, dict, str]) -> tuple[Case, ...]:
    """Cases in a row, by label, settings and what was published."""
    return tuple(
        Case(float(i), settings, published=published, label=label)
        for i, (label, settings, published) in enumerate(cases)
    )


RESETS = named(
    ("hard", {"reset": "hard"}, "100 % from epoch 121"),
    ("soft", {"reset": "soft"}, "100 % from epoch 131"),
    ("none", {"reset": None}, "1.0 at epoch 141, then 0.73"),
)
SPLIT = named(
    ("of both signs", {}, "100 % from epoch 121"),
    ("divided, 1 inhibitory cell each", {"dale_split": True, "dale_cells": 1}, ""),
    ("divided, 4 each", {"dale_split": True, "dale_cells": 4}, "100 % from epoch 151 (rates, MSE 0.088)"),
)
DIVIDED = (
    "Divided, interneurons only excite apical dendrites, and inhibit them through linear cells that hear them through "
    "fixed random synapses: so many for each pyramidal cell."
)
STUDIES = (
    Study(
        "microcircuit-start",
        "Must a microcircuit start self-predicting?",
        THESIS,
        "start",
        named(
            ("self-predicting", {"start": "self-predicting"}, "100 % from epoch 71"),
            ("random", {"start": "random"}, "100 % from epoch 101 (soft reset: 91)"),
        ),
        "From a random start interneurons learn what they are to predict while the forward weights learn.",
        settings=SETTLED,
    ),
    Study(
        "microcircuit-hidden-size",
        "How many hidden cells does it take, and how many are too many?",
        THESIS,
        "hidden cells",
        tuple(
            Case(float(n), hidden=(n,), published=p)
            for n, p in ((2, "0.38"), (3, "0.63"), (4, "1.0"), (10, "1.0"), (30, "1.0"), (75, "1.0"), (200, "0.58"))
        ),
        "Published is one run of spiking cells, final accuracy. Steps of plasticity are proportional to the squared "
        "norm of the rates below, so that large layers take larger ones.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-dropout",
        "Do missing synapses matter?",
        THESIS,
        "share of synapses",
        tuple(
            Case(p, {"connection_probability": p}, (40,), text)
            for p, text in ((1.0, ""), (0.85, "100 % from epoch 201"), (0.7, ""), (0.55, ""), (0.4, ""))
        ),
        "Missing synapses are drawn for each family apart, so that a cell and the interneuron that predicts it hear "
        "different cells.",
        settings=SETTLED,
    ),
    Study(
        "microcircuit-dale",
        "Do interneurons need synapses of both signs?",
        THESIS,
        "synapses of interneurons",
        SPLIT,
        DIVIDED,
        settings=SETTLED,
    ),
    Study(
        "microcircuit-mixing",
        "How strongly should the cell above pull on its interneuron and the teacher on the output?",
        THESIS,
        "g_som (1/ms)",
        along("g_som", 0.005, 0.02, 0.06, 0.2, 0.6),
        "The mixing factor lambda = g_som / (g_leak + g_basal + g_som) sets both how far the output is pulled and how "
        "much of it interneurons hear. The error that reaches a hidden cell grows as lambda (1 - lambda).",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-leak",
        "What does the leak of somas do?",
        THESIS,
        "g_leak (1/ms)",
        along("g_leak", 0.003, 0.01, 0.03, 0.1, 0.3),
        "A larger leak lowers all potentials, and with them rates and errors.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-mixing-with-leak",
        "Should the pull of the cell above grow with the leak?",
        THESIS,
        "g_leak (1/ms), lambda constant",
        tuple(
            Case(leak, {"g_leak": leak, "g_som": MIXED / (1 - MIXED) * (leak + 0.1)})
            for leak in (0.003, 0.01, 0.03, 0.1, 0.3)
        ),
        "g_som is set so that lambda = g_som / (g_leak + g_basal + g_som) stays 0.316, whatever the leak.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-apical-leak",
        "May apical dendrites leak more?",
        THESIS,
        "leak of apical dendrites alone",
        tuple(
            Case(leak, {"feedback_range": 1 / leak, "rate_pi": 0.01 / leak}) for leak in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
        ),
        "A leak divides what apical dendrites hear, and what a change of their synapses does: the same as smaller "
        "weights from above and of interneurons, with a smaller rate of learning of the latter.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-bias",
        "Does a learned bias help?",
        THESIS,
        "bias",
        named(("none", {}, ""), ("learned", {"bias": True}, "an open question")),
        "Basal dendrites and interneurons hear a cell that is always at 1, through weights that learn as all others.",
        settings=SETTLED,
    ),
    Study(
        "microcircuit-feedback-rate",
        "How fast must the synapses of interneurons learn, beside those onto them?",
        THESIS,
        "rate_pi / rate_ip, random start",
        tuple(Case(ratio, {"rate_pi": 0.004 * ratio}) for ratio in (0.01, 0.1, 0.5, 2.5, 5.0, 10.0)),
        "The draft had to make it 100 times slower, the papers have it 2 to 5 times faster.",
        settings={**SETTLED, "start": "random"},
        log=True,
    ),
    Study(
        "microcircuit-dendritic-leak",
        "What does the leak of dendrites do?",
        THESIS,
        "dendritic leak",
        along("dendritic_leak", 0.25, 0.5, 1.0, 2.0, 4.0),
        "Dendritic potentials are divided by the leak: weights must make up for it, within their limit of 4.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-transfer",
        "Which transfer function?",
        THESIS,
        "transfer function",
        named(
            ("soft-relu", {}, "used throughout"),
            ("soft-relu, gamma 0.1, theta 3", {"gamma": 0.1, "theta": 3.0}, "first version"),
            ("logistic", {"transfer": "logistic"}, ""),
            ("tanh", {"transfer": "tanh"}, ""),
            ("hard-sigmoid", {"transfer": "hard-sigmoid"}, ""),
        ),
        "All rates of learning stay the same, though with the constants of Sacramento's figures cells fire far less.",
        settings=SETTLED,
    ),
    Study(
        "microcircuit-rates",
        "How fast may it learn?",
        THESIS,
        "factor on all rates of learning",
        tuple(
            Case(f, {"rate_up": (0.01 * f, 0.003 * f), "rate_ip": 0.004 * f, "rate_pi": 0.01 * f})
            for f in (0.1, 0.3, 1.0, 3.0, 10.0)
        ),
        "All rates of the preset times a factor.",
        settings=SETTLED,
        log=True,
    ),
    Study(
        "microcircuit-current",
        "What does a constant current into every soma do?",
        THESIS,
        "injected current",
        along("injected_current", -0.3, -0.1, 0.0, 0.1, 0.3),
        "The current is added to the drive of pyramidal cells and interneurons alike.",
        settings=SETTLED,
    ),
    Study(
        "microcircuit-reset",
        "Must potentials be reset between presentations?",
        THESIS,
        "reset",
        RESETS,
        "Soft reset shows five random patterns for 3 ms each; in the published program with plasticity on, here off.",
    ),
    Study(
        "microcircuit-target-delay",
        "May the teacher come late?",
        THESIS,
        "delay of the teacher (ms)",
        tuple(
            Case(d, {"target_delay_ms": d}, published=p)
            for d, p in ((0.0, "100 % from epoch 131"), (5.0, "100 % from epoch 121"), (15.0, ""), (30.0, ""))
        ),
        "Until the teacher comes a presentation is one without an error: only interneurons learn.",
    ),
    Study(
        "microcircuit-filter",
        "How slow may plasticity be filtered?",
        THESIS,
        "tau_delta (ms)",
        along("tau_delta_ms", 0.1, 1.0, 10.0, 30.0, 100.0),
        "The filter starts empty at every hard reset; what it holds at the end of a presentation of 50 ms is lost.",
        log=True,
    ),
    Study(
        "microcircuit-noise",
        "How much noise may potentials have?",
        THESIS,
        "noise sigma (1/sqrt(ms))",
        along("noise_sigma", 0.0, 0.01, 0.03, 0.1, 0.3),
        "White noise of every soma; prospective potentials undo the filter of the membrane and pass it on unfiltered.",
    ),
    Study(
        "microcircuit-delays",
        "How late may rates arrive?",
        THESIS,
        "additional steps of 0.1 ms",
        tuple(Case(float(n), {"delay_steps": n}) for n in (0, 5, 20, 50)),
        "Every hop takes so much longer, of pyramidal cells and of interneurons.",
    ),
    Study(
        "microcircuit-onset",
        "Does it help to wait with plasticity until activity has settled?",
        THESIS,
        "onset of plasticity (ms)",
        along("plasticity_onset_ms", 0.0, 5.0, 15.0, 30.0),
        "The start of a presentation of 50 ms is left without plasticity.",
    ),
    Study(
        "microcircuit-synaptic-current",
        "How slowly may synaptic currents decay?",
        THESIS,
        "tau_syn (ms)",
        along("tau_syn_ms", 0.1, 1.0, 5.0, 20.0),
        "Latent equilibrium undoes the filter of the membrane, not that of synapses.",
        log=True,
    ),
)
