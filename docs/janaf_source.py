"""Reads the NIST-JANAF tables that the package ``janaf`` carries (pip install janaf==1.4, licence 0BSD)."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One temperature of a table, in J/(K mol) and kJ/mol; ``function`` is -(G - H(298))/T."""

    T: float
    heat_capacity: float
    entropy: float
    function: float
    formation_enthalpy: float
    formation_gibbs: float


class Table(NamedTuple):
    """One table of a neutral substance of fixed composition."""

    index: str
    formula: str  # as the list of JANAF displays it, such as Al2MgO4
    atoms: dict[str, float]
    state: str  # cr, l, cr,l, g, ref
    rows: list[Row]
    transitions: list[tuple[float, str]]  # K, such as BETA <--> LIQUID

    @property
    def gibbs(self) -> dict[float, float]:
        """Gibbs energy of formation, kJ/mol, by temperature in K."""
        return {row.T: row.formation_gibbs for row in self.rows}


def read_tables() -> Iterator[Table]:
    """Read every table of a neutral substance; ions, the electron and glasses have no place here."""
    found = find_spec("janaf")  # read as files: to import it would take polars
    if found is None or found.origin is None:
        raise SystemExit("the package janaf is not installed: pip install --no-deps janaf==1.4")
    source = Path(found.origin).parent
    index = json.loads(source.joinpath("janaf.json").read_text("utf-8"))
    for display, name in zip(index["display"], index["index"], strict=True):
        lines = source.joinpath("data", f"{name}.txt").read_text("utf-8").splitlines()
        match = re.fullmatch(r"((?:[A-Z][a-z]?[\d.]*)+)\(([a-z,]+)\)", lines[0].split("\t")[1])
        if match is None:
            continue
        rows, transitions = [], []
        for cells in (line.split("\t") for line in lines[2:]):
            try:
                T, heat_capacity, entropy, function, _, enthalpy, gibbs = map(float, cells[:7])
                rows.append(Row(T, heat_capacity, entropy, function, enthalpy, gibbs))
            except ValueError:
                remark = cells[-1].strip()
                if re.search(r"[A-Za-z]", remark) and remark not in ("+inf", "-inf", "UNDEFINED"):
                    transitions.append((float(cells[0]), remark))
        atoms = {e: float(n or 1) for e, n in re.findall(r"([A-Z][a-z]?)([\d.]*)", match[1])}
        yield Table(name, display.split(",")[0], atoms, match[2], rows, transitions)
