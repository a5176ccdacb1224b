"""How the package's objects show themselves in a notebook: one line of text, or a short table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def html_table(title: str, frame: pd.DataFrame, *, rows: int = 12) -> str:
    """Return a titled HTML table of the first rows, for ``_repr_html_``.

    Args:
        title: One line, as the object's ``repr``.
        frame: All of it, as the object's ``table()`` gives it.
        rows: How many rows to show.

    Example:
        >>> import pandas as pd
        >>> html_table("Phases", pd.DataFrame({"phase": ["BaO", "TiO2"]}), rows=1).count("<tr")
        2
    """
    more = f"<p>{len(frame) - rows} more rows: <code>.table()</code> has all.</p>" if len(frame) > rows else ""
    shown = frame.head(rows).to_html(index=False, border=0, float_format=lambda x: f"{x:.4g}", na_rep="")
    return f"<p><b>{escape(title)}</b></p>{shown}{more}"


class ShownAsTable:
    """A class whose objects show the first rows of their ``table()`` in a notebook, below their ``repr``."""

    table: Any

    def _repr_html_(self) -> str:
        return html_table(repr(self), self.table())
