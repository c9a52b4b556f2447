"""The one exception a user's mistake raises: a sentence that says what is wrong and how to mend it."""


class InputError(ValueError):
    """Bad input: a wrong name, value, file or folder.

    The message is one line that names the fix. The command line prints it and exits with code 2; nothing has been
    written when it is raised.
    """
