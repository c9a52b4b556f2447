"""One run from its configuration to its summary, as the command line and notebooks have it."""

from collections.abc import Sequence
from pathlib import Path

from apical.data.dataset import Dataset
from apical.training.config import Config
from apical.training.environment import describe
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress
from apical.training.protocols import find
from apical.training.train import Summary, check, n_segments, train


def run(config: Config, dataset: Dataset, out: Path, words: Sequence[str] = (), quiet: bool = True) -> Summary:
    """Trains a configuration into the folder `out`, going on from what is there, and returns its summary.

    `words` is the command that asked for it, if any, for `environment.json`. Ctrl-C ends it after the present segment.

    **Raises** `InputError` when the configuration does not fit the data or the folder holds another run.
    """
    dataset = find(config.protocol).arranged(dataset)
    check(config, dataset)
    with Interrupt() as interrupt, Progress(n_segments(config, dataset), quiet=quiet) as progress:
        feeds = Feeds.of(dataset)
        return train([config], [out], feeds, describe(dataset, list(words)), interrupt, progress)[0]
