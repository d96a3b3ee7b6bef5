"""An error that the user can fix: one line with what was wrong, what was expected and what to do."""


class UsageError(ValueError):
    """Bad input from outside: a prompt, flag, config value, file or checkpoint. Its text is one line."""
