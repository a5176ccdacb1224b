"""The Materials Project's web interface, with the extra ``tammann[mp]`` and a key of the user's."""

import math
import os
from itertools import combinations
from typing import Any

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.thermo.entries import Entry, MeltingPoints, serves_as_phase, system_of
from tammann.thermo.phase import Phases

_FIELDS = ["material_id", "formula_pretty", "formation_energy_per_atom", "volume", "nsites", "theoretical"]


def fetch_phases(chemical_system: str, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Ask the Materials Project for all phases of a chemical system, such as "Sr-Ti-O".

    The most stable entry of each formula is kept, with its formation energy (the project's corrections included) and
    volume; the thermal part is that of the descriptor of Bartel et al. The project has no melting points: they come
    from ``melting_points`` (of ``read_melting_points``), or are measured or estimated ones where those are known.

    Raises:
        DataError: The extra or the key is missing, the elements cannot be read, or the request fails or finds nothing.

    Reference:
        Jain et al., APL Mater. 2013, 1, 011002, doi 10.1063/1.4812323.
    """
    elements = [e.strip() for e in chemical_system.split("-")]
    for element in elements:
        if list(parse_formula(element or "?").values()) != [1]:
            raise DataError(
                f"mp-api:{chemical_system} has {element!r}: expected elements joined by hyphens, such as Sr-Ti-O"
            )
    key = os.environ.get("MP_API_KEY")
    if not key:
        raise DataError(
            f"energies mp-api:{chemical_system} need a key of the Materials Project: set the environment variable "
            "MP_API_KEY (materialsproject.org/api gives one), or name a shipped set or a file"
        )
    try:
        from mp_api.client import MPRester
    except ImportError:
        raise DataError(
            "energies mp-api need the Materials Project's client: install it with pip install 'tammann[mp]', "
            "or name a shipped set or a file"
        ) from None
    systems = ["-".join(sorted(c)) for n in range(1, len(elements) + 1) for c in combinations(sorted(set(elements)), n)]
    try:
        with MPRester(key) as rester:
            documents = rester.materials.summary.search(chemsys=systems, fields=_FIELDS)
    except Exception as error:  # the client raises its own errors and those of its network library
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"the Materials Project did not answer for {chemical_system}: {reason}; check MP_API_KEY and the network"
        ) from None
    best: dict[str, Entry] = {}
    for entry in (_entry(document, melting_points) for document in documents):
        if entry is not None:
            before = best.setdefault(entry.formula, entry)
            best[entry.formula] = min(before, entry, key=lambda one: one.formation_energy_eV_per_atom)
    if not any(len(parse_formula(formula)) > 1 for formula in best):
        raise DataError(f"the Materials Project has no compound in {chemical_system}: check the elements")
    said = ["Materials Project: melting points are not part of it; stated, measured or estimated ones were filled in"]
    return system_of("materials-project", list(best.values()), warnings=said, melting_points=melting_points)


def _entry(document: Any, melting_points: MeltingPoints | None) -> Entry | None:
    formula, energy = document.formula_pretty, document.formation_energy_per_atom
    volume, sites = document.volume, document.nsites
    if energy is None or volume is None or not sites or not math.isfinite(energy):
        return None
    if not serves_as_phase(parse_formula(formula), melting_points):
        return None
    identifier = str(document.material_id)
    return Entry(
        where=f"Materials Project {identifier}",
        formula=formula,
        formation_energy_eV_per_atom=float(energy),
        volume_A3_per_atom=float(volume) / int(sites),
        source=f"Materials Project {identifier}",
        material_id=identifier,
        observed=None if document.theoretical is None else not document.theoretical,
    )
