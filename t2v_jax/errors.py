"""The error a user can mend: one line that says what was wrong, what was expected, what to do."""


class UsageError(ValueError):
    """Bad input from outside: a prompt, flag, config value, file or checkpoint. Its text is one line."""
