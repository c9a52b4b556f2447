"""The one exception a user's mistake raises: a sentence that says what is wrong and how to mend it."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: a wrong name, value, file or folder.

    The message is one line that names the fix. The command line prints it and exits with code 2; nothing has been
    written when it is raised.
    """


def unknown(kind: str, name: str, known: Iterable[object]) -> str:
    """The message for a name that is not in a list: the nearest one, or all of them."""
    names = sorted(map(str, known))
    near = difflib.get_close_matches(name, names, n=1)
    return f"unknown {kind} {name!r}: " + (f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names)}")
