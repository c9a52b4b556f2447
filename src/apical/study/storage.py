"""Where the trials of a study are kept: Optuna's storages, by their URL."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from apical.errors import InputError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

HEARTBEAT_S, GRACE_S = 5, 30
JOURNAL = "journal://"
DATABASE = "study.db"


def need_extra() -> None:
    """**Raises** `InputError` where the libraries of the extra `study` are missing."""
    try:
        import bayes_opt  # noqa: F401
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", "Heartbeat of storage is supposed")  # ours beats beside ask and tell
    except ImportError as error:
        raise InputError(f"a study needs {error.name}: pip install 'apical[study]'") from None


def own_url(folder: Path) -> str:
    """The storage inside a study's folder: a SQLite file."""
    return f"sqlite:///{(folder / DATABASE).resolve()}"


def open_storage(url: str, shared: bool = True) -> "BaseStorage":
    """The storage at a URL of SQLAlchemy (sqlite, postgresql, mysql), or `journal://FILE`.

    Databases that are `shared` keep a heartbeat of each running trial, so that others know when its process died.

    **Raises** `InputError` when it cannot be opened.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    try:
        if url.startswith(JOURNAL):
            file = JournalFileBackend(url.removeprefix(JOURNAL))
            return optuna.storages.JournalStorage(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            beat, grace = (HEARTBEAT_S, GRACE_S) if shared else (None, None)
            return optuna.storages.RDBStorage(url, heartbeat_interval=beat, grace_period=grace)
    except Exception as error:  # whatever the database's driver raises
        said = " ".join(str(error).split())[:160]
        raise InputError(
            f"--storage {url.split('@')[-1]} cannot be opened ({said}): check address and driver"
        ) from None
