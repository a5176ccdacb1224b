"""What docstrings write as a reader of source expects it, in the form that mkdocstrings expects."""

import re
from typing import Any

import griffe

REWRITTEN = (
    (re.compile(r"^(\s*)Example:$", re.MULTILINE), r"\1Examples:"),  # the section is known by the plural
    (re.compile(r"::$", re.MULTILINE), ":"),  # a literal block is marked by its indentation
    (re.compile(r":\w+:`~?([^`]+)`"), r"`\1`"),
)


class Docstrings(griffe.Extension):
    """Rewrites docstrings before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring is not None:
            for pattern, replacement in REWRITTEN:
                obj.docstring.value = pattern.sub(replacement, obj.docstring.value)
