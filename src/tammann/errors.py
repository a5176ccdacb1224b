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
