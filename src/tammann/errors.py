"""What can go wrong, as a tree.

::

    TammannError (ValueError)     anything a user can mend; the command line prints it and exits with 2
    ├── RecipeError               a recipe, or an option given with it
    ├── DataError                 energies, transport or observations: missing, malformed or out of range
    └── ResultError               a result on disk: truncated, foreign, or not to be written over

Every message is one sentence that names the offending key or value, says what was expected and what to do.
"""


class TammannError(ValueError):
    """Anything that a user of tammann can mend."""


class RecipeError(TammannError):
    """A recipe, or an option given with it, cannot be carried out as written."""


class DataError(TammannError):
    """Energies, transport coefficients or observations are missing, malformed or out of range."""


class ResultError(TammannError):
    """A result or checkpoint on disk is truncated, foreign, or would be written over."""


def check_argument(
    name: str, value: object, kinds: str | tuple[type, ...], expected: str, *, error: type[TammannError] = DataError
) -> None:
    """Refuse an argument of another type.

    Args:
        name: Of the argument.
        value: What was given.
        kinds: The types it may have; or their names, joined by ``|``, so that nothing need be imported.
        expected: What it should be, for the message.
        error: What to raise.

    Raises:
        TammannError: Of the kind asked for.

    Example:
        >>> check_argument("phases", 5, "Phases", "what load_phases returns")
        Traceback (most recent call last):
        tammann.errors.DataError: phases: expected what load_phases returns, got 5
    """
    names = {base.__name__ for base in type(value).__mro__}
    if not (names & set(kinds.split("|")) if isinstance(kinds, str) else isinstance(value, kinds)):
        raise error(f"{name}: expected {expected}, got {' '.join(repr(value).split()):.60}")
