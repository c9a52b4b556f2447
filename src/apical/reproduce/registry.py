"""The one list of what can be made again; a new entry is one small file and one line here."""

from apical.errors import InputError
from apical.reproduce.base import Reproduction
from apical.reproduce.complexity import COMPLEXITY
from apical.reproduce.figure_3 import FIGURE_3
from apical.reproduce.figure_4 import FIGURE_4
from apical.reproduce.figure_5 import FIGURE_5
from apical.reproduce.figure_6 import FIGURE_6
from apical.reproduce.lillicrap.frozen import LILLICRAP_FROZEN
from apical.reproduce.lillicrap.linear import LILLICRAP_LINEAR
from apical.reproduce.lillicrap.sparse import LILLICRAP_SPARSE
from apical.reproduce.lillicrap.spiking import LILLICRAP_SPIKING
from apical.reproduce.microcircuit.catalogue import MICROCIRCUIT
from apical.reproduce.representations.similarity import REPRESENTATIONS
from apical.reproduce.representations.transfer import TRANSFER
from apical.reproduce.robustness.figure_7 import FIGURE_7
from apical.reproduce.scalability import SCALABILITY
from apical.reproduce.spikes.catalogue import SPIKES
from apical.reproduce.table_1 import TABLE_1
from apical.reproduce.urbanczik_senn import URBANCZIK_SENN

ALL = (
    TABLE_1,
    FIGURE_3,
    FIGURE_4,
    FIGURE_5,
    FIGURE_6,
    FIGURE_7,
    LILLICRAP_LINEAR,
    LILLICRAP_SPARSE,
    LILLICRAP_FROZEN,
    LILLICRAP_SPIKING,
    URBANCZIK_SENN,
    *MICROCIRCUIT,
    *SPIKES,
    REPRESENTATIONS,
    TRANSFER,
    SCALABILITY,
    COMPLEXITY,
)
REPRODUCTIONS: dict[str, Reproduction] = {r.name: r for r in ALL}
ALIASES = {"figure-1": TABLE_1.name}


def find(name: str) -> Reproduction:
    """The reproduction of that name.

    **Raises** `InputError` with the list of names when there is none.
    """
    name = ALIASES.get(name, name)
    if name not in REPRODUCTIONS:
        raise InputError(f"unknown name {name!r}: choose from {', '.join(REPRODUCTIONS)}")
    return REPRODUCTIONS[name]
