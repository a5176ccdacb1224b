"""Compare a potential, or other labels, with labels by density-functional theory: a table by frame and a summary.

Differences of energies are given after removing the mean of each composition, since all cells of a composition are
equal and its constant (pseudopotentials, corrections of the training set, the number of plane waves) means nothing.

    python compare.py labelled.extxyz chgnet chgnet
    python compare.py labelled-800.extxyz labelled.extxyz cutoff
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.labelling import label_frames
from tammann.units import EV_PER_A3_IN_GPA


def slope(reference: np.ndarray, predicted: np.ndarray) -> float:
    """Return the slope through the origin of predicted on reference values."""
    return float((reference * predicted).sum() / (reference**2).sum())


def rms(values: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def pressure_GPa(frame) -> float:
    """Return the pressure of a frame without the motion of its atoms."""
    return float(-np.trace(frame.stress_eV_per_A3) / 3.0 * EV_PER_A3_IN_GPA)


def table_of(reference: DataSet, predicted: DataSet) -> pd.DataFrame:
    """Return one row a frame."""
    rows = []
    for one, other in zip(reference, predicted, strict=True):
        off = other.forces_eV_per_A - one.forces_eV_per_A
        rows.append(
            {
                "trajectory": one.trajectory,
                "formula": one.formula,
                "atoms": one.n_atoms,
                "energy_reference_eV_per_atom": one.energy_eV / one.n_atoms,
                "energy_predicted_eV_per_atom": other.energy_eV / one.n_atoms,
                "force_rms_eV_per_A": rms(one.forces_eV_per_A),
                "force_rmse_eV_per_A": rms(off),
                "force_slope": slope(one.forces_eV_per_A, other.forces_eV_per_A),
                "pressure_reference_GPa": pressure_GPa(one),
                "pressure_predicted_GPa": pressure_GPa(other),
            }
        )
    table = pd.DataFrame(rows)
    apart = table.energy_predicted_eV_per_atom - table.energy_reference_eV_per_atom
    table["energy_error_meV_per_atom"] = 1e3 * (apart - apart.groupby(table.formula).transform("mean"))
    return table


def summary_of(reference: DataSet, predicted: DataSet, table: pd.DataFrame) -> dict:
    """Return what the report quotes."""
    forces = np.vstack([f.forces_eV_per_A for f in reference])
    other = np.vstack([f.forces_eV_per_A for f in predicted])
    symbols = np.array([s for f in reference for s in f.configuration.symbols])
    pressure = table.pressure_predicted_GPa - table.pressure_reference_GPa
    stress = np.array([f.stress_eV_per_A3 - np.trace(f.stress_eV_per_A3) / 3 * np.eye(3) for f in reference])
    shear = np.array([f.stress_eV_per_A3 - np.trace(f.stress_eV_per_A3) / 3 * np.eye(3) for f in predicted])
    means = table.groupby("formula")[["energy_reference_eV_per_atom"]].transform("mean")
    spread = 1e3 * (table.energy_reference_eV_per_atom - means.energy_reference_eV_per_atom)
    freedom = max(1, len(table) - table.formula.nunique())  # means have been removed
    counts = np.array([[f.configuration.symbols.count(e) / f.n_atoms for e in reference.elements] for f in reference])
    apart = (table.energy_predicted_eV_per_atom - table.energy_reference_eV_per_atom).to_numpy()
    left = apart - counts @ np.linalg.lstsq(counts, apart, rcond=1e-10)[0]
    return {
        "reference": {"method": reference[0].label.method, "source": reference[0].label.source},
        "predicted": {"method": predicted[0].label.method, "source": predicted[0].label.source},
        "frames": Counter(table.formula),
        "force_rms_eV_per_A": rms(forces),
        "force_rmse_eV_per_A": rms(other - forces),
        "force_mae_eV_per_A": float(np.abs(other - forces).mean()),
        "force_slope": slope(forces, other),
        "by_element": {
            element: {
                "force_rms_eV_per_A": rms(forces[symbols == element]),
                "force_rmse_eV_per_A": rms((other - forces)[symbols == element]),
                "force_slope": slope(forces[symbols == element], other[symbols == element]),
            }
            for element in reference.elements
        },
        "energy_error_within_composition_meV_per_atom": float(
            np.sqrt((table.energy_error_meV_per_atom**2).sum() / freedom)
        ),
        "energy_error_after_element_energies_meV_per_atom": 1e3 * rms(left),
        "energy_spread_within_composition_meV_per_atom": float(np.sqrt((spread**2).sum() / freedom)),
        "pressure_difference_GPa": {"mean": float(pressure.mean()), "standard_deviation": float(pressure.std(ddof=0))},
        "deviatoric_stress_rms_GPa": rms(stress) * EV_PER_A3_IN_GPA,
        "deviatoric_stress_rmse_GPa": rms(shear - stress) * EV_PER_A3_IN_GPA,
        "deviatoric_stress_slope": slope(stress, shear),
    }


def rounded(value):
    """Return numbers with five significant figures."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main(labelled: Path, potential: str, out: Path) -> None:
    """Label the frames with the potential, or find them in a file, and write ``out``.csv and ``out``.json."""
    reference = read_dataset(labelled)
    if potential.endswith(".extxyz"):
        known = {f.configuration.positions_A.tobytes(): f for f in read_dataset(potential)}
        predicted = DataSet(tuple(known[f.configuration.positions_A.tobytes()] for f in reference))
    else:
        predicted = label_frames(reference, potential, f"{out}-labels", resume=True).dataset
    table = table_of(reference, predicted)
    table.to_csv(f"{out}.csv", index=False, float_format="%.5g", lineterminator="\n")
    summary = rounded(summary_of(reference, predicted, table))
    Path(f"{out}.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
