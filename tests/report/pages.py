"""What tests of the report share: a recipe, a table of rates, and a parser of pages."""

from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np

from tammann.recipe import Recipe
from tammann.report.sentences import notices

HOSTILE = '</script><script>alert("x")</script> <img src=x onerror=alert(1)> & "1:1"'


def recipe(**changes):
    entries = {
        "title": HOSTILE,
        "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        "programme": [{"temperature_K": 1100, "hold_h": 2}, {"temperature_K": 1500, "hold_h": 2}],
    }
    return Recipe(**{**entries, **changes})


def rates(history):
    T = np.linspace(300, 1500, 13)
    shape = (T.size, len(history.equations))
    growth = np.full(shape, 1e-8)
    growth[:, history.fallback] = np.nan
    return SimpleNamespace(
        equations=history.equations,
        phases=history.phases,
        composition=history.composition,
        products=history.products,
        product_coefficients=history.product_coefficients,
        temperature_K=T,
        growth_constant_m2_per_s=growth,
        score=np.full(shape, 0.5),
        dG_eV_per_atom=np.full(shape, -0.05),
        metadata={"sources": {"transport": "Karan et al. 2026, https://doi.org/10.1038/s41563-026-02596-5"}},
        warnings=("L of <Ba4Ti13O30> repaired",),
    )


class Tags(HTMLParser):
    """Every tag with its attributes, and the text inside scripts by their id."""

    VOID = {"meta", "img", "input", "br", "link"}

    def __init__(self):
        super().__init__()
        self.tags, self.blocks, self.open, self._id = [], {}, [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self._id = dict(attrs).get("id", "main")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> does not close what is open"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.blocks[self._id] = self.blocks.get(self._id, "") + data


def parsed(path):
    parser = Tags()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    return parser


def said(run, **options):
    return " ".join(notice.text for notice in notices(run, **options))
