"""What a database says as a whole: D and activation energies by element and anion, exports."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.composition import parse_formula
from tammann.diffusivity.local_features import anion_of
from tammann.errors import DataError
from tammann.files import json_safe, write_text
from tammann.transport.arrhenius import fit_arrhenius
from tammann.workflows.database.store import Store

if TYPE_CHECKING:
    import pandas as pd

QUARTILES = (0.25, 0.5, 0.75)


def activation_table(store: Store, *, only_diffusive: bool = True) -> pd.DataFrame:
    """Return the activation energy of the mobile ion of each composition known at two temperatures or more.

    Columns: ``formula``, ``anion``, ``temperatures``, ``Ea_eV``, ``Ea_stderr_eV`` and ``ln_D0_m2_per_s``.
    """
    import pandas as pd

    states = _usable(store.states(), only_diffusive)
    rows = []
    for formula, group in states.groupby("formula", sort=False):
        if len(group) < 2:
            continue
        stderr = group["D_stderr_m2_per_s"].to_numpy(dtype=float)
        known = bool(np.isfinite(stderr).all() and (stderr > 0).all())
        if not known and len(group) < 3:
            continue
        D = group["D_m2_per_s"].to_numpy(dtype=float)
        fit = fit_arrhenius(group["temperature_K"].to_numpy(dtype=float), D, stderr if known else None)
        rows.append(
            {
                "formula": formula,
                "anion": anion_of(list(parse_formula(str(formula))), str(group["ion"].iloc[0])),
                "temperatures": len(group),
                "Ea_eV": fit.activation_energy_eV,
                "Ea_stderr_eV": fit.activation_energy_stderr_eV,
                "ln_D0_m2_per_s": fit.ln_prefactor,
            }
        )
    columns = ["formula", "anion", "temperatures", "Ea_eV", "Ea_stderr_eV", "ln_D0_m2_per_s"]
    return pd.DataFrame(rows, columns=columns)


def distributions_by(store: Store, what: str = "element", *, only_diffusive: bool = True) -> pd.DataFrame:
    """Return how D of the ion and Ea are distributed over the compositions with an element, or with an anion.

    Args:
        store: Database.
        what: ``element`` (every element beside the ion) or ``anion`` (the most electronegative one).
        only_diffusive: Leave out states whose ion was not shown to diffuse.

    Returns:
        One row for each element and temperature: number of compositions, and the quartiles of D (m²/s) and Ea (eV);
        NaN where no Ea is known.

    Raises:
        DataError: Neither of these, or no state diffuses.
    """
    import pandas as pd

    if what not in ("element", "anion"):
        raise DataError(f"what: expected element or anion, got {what!r}.")
    states = _usable(store.states(), only_diffusive)
    energies = activation_table(store, only_diffusive=only_diffusive).set_index("formula")["Ea_eV"]
    rows = []
    for _, row in states.iterrows():
        elements = list(parse_formula(row["formula"]))
        names = [anion_of(elements, row["ion"])] if what == "anion" else [s for s in elements if s != row["ion"]]
        for name in names:
            rows.append((name, row["temperature_K"], row["D_m2_per_s"], energies.get(row["formula"], np.nan)))
    frame = pd.DataFrame(rows, columns=[what, "temperature_K", "D", "Ea"])
    found = []
    for (name, T), group in frame.groupby([what, "temperature_K"]):
        quartiles = {f"D_{int(100 * q)}_m2_per_s": group["D"].quantile(q) for q in QUARTILES}
        quartiles |= {f"Ea_{int(100 * q)}_eV": group["Ea"].quantile(q) for q in QUARTILES}
        found.append({what: name, "temperature_K": T, "compositions": len(group), **quartiles})
    if not found:
        raise DataError(f"{store.path.name}: expected states whose ion diffuses, found none; run longer or hotter.")
    return pd.DataFrame(found)


def _usable(states: pd.DataFrame, only_diffusive: bool) -> pd.DataFrame:
    kept = states["D_m2_per_s"] > 0
    if only_diffusive:
        kept &= (states["diffusive"] == 1) & (states["crystalline"] == 0)
    return states[kept]


def export_table(store: Store, path: str | os.PathLike[str]) -> None:
    """Write the database as one CSV table that ``load_table`` of the diffusivities reads."""
    write_text(path, store.table().to_csv(index=False))


def contributions(store: Store, *, project: str) -> list[dict[str, Any]]:
    """Return one contribution for each composition, in the form that MPContribs takes.

    Quantities carry their unit, and their standard error as ``1.2+/-0.1 eV``; those of several temperatures stand under
    the temperature. Keys have neither spaces nor punctuation, which it refuses. D stands only where the ion was shown
    to diffuse.

    Args:
        store: Database.
        project: Name of the project there.
    """
    table, energies = store.table(), activation_table(store).set_index("formula")
    limits = store.query("SELECT * FROM amorphous_limits").set_index("formula")
    about = store.about()
    found = []
    for formula, group in table.groupby("formula", sort=False):
        states = {}
        for _, row in group.iterrows():
            entry = {
                "D": _quantity(row["D_m2_per_s"], row["D_stderr_m2_per_s"], "m^2/s") if row["diffusive"] else None,
                "density": _quantity(row["density_g_per_cm3"], None, "g/cm^3"),
                "volume": _quantity(row["volume_per_atom_A3"], None, "angstrom^3"),
                "diffusive": "yes" if row["diffusive"] else "no",
                "crystalline": "yes" if row["crystalline"] else "no",
                "features": {k: f"{row[k]:.6g}" for k in ("LNC", "LLB", "PF", "LASD", "LLSD") if k in row},
            }
            states[f"{row['temperature_K']:g}K"] = {key: value for key, value in entry.items() if value is not None}
        data: dict[str, Any] = {"ion": group["ion"].iloc[0], "potential": group["potential"].iloc[0], "states": states}
        if formula in energies.index:
            data["Ea"] = _quantity(energies.loc[formula, "Ea_eV"], energies.loc[formula, "Ea_stderr_eV"], "eV")
        if formula in limits.index:
            above = _quantity(limits.loc[formula, "above_hull_eV_per_atom"], None, "eV")
            data |= {} if above is None else {"amorphousLimitAboveHullPerAtom": above}
        found.append(
            {
                "project": project,
                "identifier": str(formula),
                "formula": str(formula),
                "is_public": False,
                "data": data | {"software": f"tammann {about.get('tammann', '')}".strip()},
            }
        )
    return found


def export_contributions(
    store: Store, path: str | os.PathLike[str], *, project: str = "disordered_diffusivities"
) -> None:
    """Write ``contributions`` as JSON."""
    text = json.dumps(json_safe(contributions(store, project=project)), indent=1, ensure_ascii=False)
    write_text(Path(path), text + "\n")


def _quantity(value: float | None, error: float | None, unit: str) -> str | None:
    if value is None or not np.isfinite(value):
        return None
    spread = "" if error is None or not np.isfinite(error) else f"+/-{error:.2g}"
    return f"{value:.6g}{spread} {unit}"
