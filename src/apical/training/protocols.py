"""The one list of protocols, `--set protocol=...`: which data train, watch and judge, and what is logged as the loss.

Nothing here needs JAX, so that a report can say what a protocol means.
"""

from dataclasses import dataclass

import numpy as np

from apical.data.dataset import Dataset
from apical.data.pooling import Pooled, pool, split_pool
from apical.data.splits import Indices, split
from apical.errors import InputError


@dataclass(frozen=True)
class Protocol:
    """A way to use the data and to judge; `meaning` completes "under this protocol ...", for lists and reports.

    `validation_share` of the training data is kept apart for validation. `test_share`: none leaves the test data as
    they are; else training and test data are pooled, and this share of all is for the test. `watched` is the part
    scored at every measurement: where it is `test`, the best measurement is the test result, else test data judge
    once, the last weights or, with `best_kept`, those of the best measurement. `epochs` goes before those of preset
    and data set. `loss` names what is logged as the loss. What a protocol sets of a rule, the rule declares itself
    (`AbstractRule.protocols`).
    """

    name: str
    meaning: str
    source: str = ""
    validation_share: float = 0.0
    test_share: float | None = None
    watched: str = "validation"
    best_kept: bool = False
    epochs: int | None = None
    loss: str = "cross-entropy"

    def arranged(self, dataset: Dataset) -> Dataset:
        """The data set as this protocol uses it: pooled where it pools. Arranging twice changes nothing.

        **Raises** `InputError` where data that stay in files would have to be pooled, `ValueError` for data that are
        pooled already though this protocol keeps test data apart.
        """
        pooled = isinstance(dataset.train, Pooled)
        if self.test_share is None and pooled:
            raise ValueError(f"protocol {self.name} keeps test data apart, but {dataset.name} was pooled")
        if self.test_share is None or pooled:
            return dataset
        if not (dataset.train.resident and dataset.test.resident):
            apart = " or ".join(f"protocol={p.name}" for p in PROTOCOLS.values() if p.test_share is None)
            raise InputError(
                f"protocol={self.name} pools training and test data, which {dataset.name} reads from files: "
                f"choose {apart}, or another data set"
            )
        return pool(dataset)

    def parts(self, dataset: Dataset, seed: int) -> tuple[Indices, Indices, Indices]:
        """Indices of the training, validation and test part of the arranged data set, in a random order of the seed.

        The first two point into its training examples, the last into its test examples; pooled, these are the same.
        """
        if self.test_share is not None:
            return split_pool(len(dataset.train), self.test_share, self.validation_share, seed)
        share = 0.0 if dataset.exhaustive else self.validation_share
        training, validation = split(dataset.train.labels, share, seed)
        return training, validation, np.arange(len(dataset.test), dtype=np.int32)


APICAL = "apical"
PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            APICAL,
            "a tenth of the training data, stratified, is for validation; test data judge the last weights once and "
            "choose nothing",
            validation_share=0.1,
        ),
        Protocol(
            "best-validation",
            "a tenth of the training data, stratified, is for validation, which is scored at every measurement and "
            "chooses the weights that test data judge once: those of its best measurement (early stopping); a study "
            "judges the last weights",
            "early stopping",
            validation_share=0.1,
            best_kept=True,
        ),
        Protocol(
            "refit",
            "all training data are trained on, without a validation part, so nothing is left that could choose: "
            "settings and epochs come from runs with validation data; test data judge the last weights once",
            "usual after a search",
        ),
        Protocol(
            "paper",
            "all training data are trained on, without a validation part; test data are watched at every measurement, "
            "and the best one is the test result, so test data chose it and flatter it",
            "papers of this field",
            watched="test",
        ),
        Protocol(
            "lange-2019",
            "training and test data are pooled and shuffled by the seed; 6/7 are for training, of which 20 % (drawn "
            "without regard to class) are for validation, and the last seventh is for the test, so test results are "
            "not of the published test data; 10 epochs; the loss is -log of the score of the true class clipped to "
            "[1e-12, 1], 0 for correct examples, and no cross-entropy; segregated dendrites are read from the last ms "
            "of a phase, their test phase is as long as the forward phase, spikes are remembered for 1 ms, g_apical is "
            "0.05; what is set explicitly goes before all this; phases last ms here, though in his program steps",
            "Lange 2019, program",
            validation_share=0.2,
            test_share=1 / 7,
            epochs=10,
            loss="clipped-score",
        ),
    )
}


def find(name: object) -> Protocol:
    """The protocol of that name.

    **Raises** `InputError` with the list of names when there is none.
    """
    if name not in PROTOCOLS:
        raise InputError(f"protocol={name}: protocol is one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[str(name)]
