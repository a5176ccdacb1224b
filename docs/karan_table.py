"""Make ``src/tammann/data/ba-ti-o-karan-2026.json`` again from the published ``docs/karan-2026.csv``.

Figures are converted to SI. Each defect of the table, and what is done about it, becomes a warning. Run from the
repository: ``python docs/karan_table.py``.
"""

import csv
from pathlib import Path

import numpy as np

from tammann.systems import SYSTEMS
from tammann.transport.onsager import OnsagerCoefficients
from tammann.transport.table import TransportTable, not_dissipative, save_transport
from tammann.units import ONSAGER_PER_CM_S_EV_IN_SI

PUBLISHED = Path(__file__).with_name("karan-2026.csv")
TARGET = Path(__file__).parents[1] / "src/tammann/data/ba-ti-o-karan-2026.json"
SOURCE = (
    "Karan, Gallant, Fei, Ceder, Persson, Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, as published in "
    "mcgalcode/rxn-ca"
)
IONS = ("Ba", "Ti", "O")
TEN_TIMES_TOO_LARGE = ("Ba4Ti13O30", 1000.0, "L_BaO", -9.7442e18, -9.7442e17)
"""The one misprint: formula, K, coefficient, as published, as used."""


def read_published() -> tuple[list[OnsagerCoefficients], list[str]]:
    """Return the entries in SI, the misprint mended, and a warning about it."""
    formula, temperature_K, key, published, used = TEN_TIMES_TOO_LARGE
    warning = (
        f"{formula} at {temperature_K:g} K: {key} = {published:g} 1/(cm s eV) as published breaks positive "
        f"semidefiniteness and the centre-of-mass rule; {used:g}, ten times smaller, restores both to within noise and "
        "is used."
    )
    lines = PUBLISHED.read_text(encoding="utf-8").splitlines()
    entries = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        value = {name: float(row[name]) for name in row if name.startswith("L")}
        if (row["formula"], float(row["temperature_K"])) == (formula, temperature_K):
            value[key] = used
        L = np.array([[value.get(f"L_{a}{b}", value.get(f"L_{b}{a}", np.nan)) for b in IONS] for a in IONS])
        entries.append(
            OnsagerCoefficients(
                formula=row["formula"],
                temperature_K=float(row["temperature_K"]),
                species=IONS,
                L=L * ONSAGER_PER_CM_S_EV_IN_SI,
                L_self=np.array([value[f"Lself_{ion}"] for ion in IONS]) * ONSAGER_PER_CM_S_EV_IN_SI,
                volume_A3=float(row["volume_A3"]),
                source=SOURCE,
            )
        )
    return entries, [warning]


def main() -> None:
    """Write the table."""
    entries, warnings = read_published()
    warnings += not_dissipative(entries)
    for cold in (True, False):
        group = [entry for entry in entries if (entry.temperature_K < 1000.0) == cold]
        off = [entry.centre_of_mass_deviation for entry in group]
        worst = group[int(np.argmax(off))]
        warnings.append(
            f"The centre-of-mass rule sum_j m_j L_ij = 0 is off by up to {max(off):.0%} of a row "
            f"{'at 750 K' if cold else 'from 1000 K'} (worst: {worst.formula} at {worst.temperature_K:g} K); left so."
        )
    formulas = dict.fromkeys(entry.formula for entry in entries)
    same = [one for one in formulas if len({entry.volume_A3 for entry in entries if entry.formula == one}) == 1]
    warnings += [
        f"Cell volumes of {', '.join(same)} are the same at every temperature, as placeholders are; volumes of the "
        "phases are used instead for all compositions.",
        "L of Ba2TiO4 is not monotonic in temperature; used as published.",
        "No standard errors were published; state transport_relative_error to carry one.",
        "The absolute scale is doubtful (self-diffusion 13 to 270 times what the viscosity of the melt gives); only "
        "ratios of growth constants carry meaning, a common factor is absorbed by the scale of the score.",
    ]
    table = TransportTable("karan-2026", SOURCE, tuple(entries), SYSTEMS["Ba-Ti-O"].end_members, tuple(warnings))
    save_transport(table, TARGET)


if __name__ == "__main__":
    main()
