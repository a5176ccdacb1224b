"""Equations as MathML, made when the pages are built: a reader needs no script and no network."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

EQUATION = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Called by mkdocs with the HTML of every page."""
    return EQUATION.sub(_typeset, content)


def _typeset(match: re.Match[str]) -> str:
    tex = re.sub(r"^\\[(\[]|\\[)\]]$", "", html.unescape(match[2]).strip())
    return str(convert(tex, display="block" if match[1] == "div" else "inline"))
