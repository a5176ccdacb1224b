"""The labels that are shipped: melts of Ba-Ti-O by GPAW, and what the comparison with CHGNet says of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tammann.potentials.dataset import read_dataset
from tammann.potentials.labellers import PotentialLabeller
from tammann.structures.contacts import closest_contacts

FOLDER = Path(__file__).parents[2] / "examples" / "potentials" / "gpaw"


@pytest.fixture(scope="module")
def labels():
    return read_dataset(FOLDER / "labelled.extxyz")


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(FOLDER / "chgnet.csv")


def test_they_are_melts_with_provenance(labels):
    assert len(labels) >= 12 and labels.formulas == ("Ba2TiO4", "BaTi2O5", "BaTi4O9", "BaTiO3")
    for frame in labels:
        assert frame.label.method == "gpaw PBE pw 400" and "GPAW 22.8.0" in frame.label.source
        assert frame.trajectory.endswith("K") and frame.label.date.startswith("20")
        assert closest_contacts(frame.configuration)["O", "O"] > 1.8  # no peroxide
        assert abs(frame.forces_eV_per_A.mean(axis=0)).max() < 0.05  # the grid does not move with the atoms


def test_the_table_is_that_of_the_labels(labels, table):
    summary = json.loads((FOLDER / "chgnet.json").read_text())
    assert sum(summary["frames"].values()) == len(table) == len(labels)
    for frame, (_, row) in zip(labels, table.iterrows(), strict=True):
        assert (row.trajectory, row.atoms) == (frame.trajectory, frame.n_atoms)
        assert row.energy_reference_eV_per_atom == pytest.approx(frame.energy_eV / frame.n_atoms, abs=1e-3)
        assert row.force_rms_eV_per_A == pytest.approx(np.sqrt((frame.forces_eV_per_A**2).mean()), rel=1e-3)
    squares = (table.force_rmse_eV_per_A**2 * table.atoms).sum() / table.atoms.sum()
    assert summary["force_rmse_eV_per_A"] == pytest.approx(np.sqrt(squares), rel=1e-3)
    assert table.groupby("formula").energy_error_meV_per_atom.mean().abs().max() < 1e-2


def test_the_cutoff_is_enough_for_forces_and_not_for_pressures(labels):
    cutoff = json.loads((FOLDER / "cutoff.json").read_text())
    converged = read_dataset(FOLDER / "labelled-800.extxyz")[0]
    same = next(f for f in labels if np.array_equal(f.configuration.positions_A, converged.configuration.positions_A))
    off = same.forces_eV_per_A - converged.forces_eV_per_A
    assert cutoff["force_rmse_eV_per_A"] == pytest.approx(np.sqrt((off**2).mean()), rel=1e-3)
    assert np.sqrt((off**2).mean()) < 0.1 * np.sqrt((converged.forces_eV_per_A**2).mean())
    assert abs(cutoff["pressure_difference_GPa"]["mean"]) > 5.0


def test_the_page_quotes_these_numbers():
    page = (FOLDER.parents[2] / "docs" / "potentials.md").read_text(encoding="utf-8")
    found, cutoff = (json.loads((FOLDER / f"{name}.json").read_text()) for name in ("chgnet", "cutoff"))
    for number in (
        f"{found['force_rmse_eV_per_A']:.3f} ({found['force_rms_eV_per_A']:.2f})",
        f"{cutoff['force_rmse_eV_per_A']:.3f} ({cutoff['force_rms_eV_per_A']:.2f})",
        f"{found['energy_error_within_composition_meV_per_atom']:.1f}",
        f"{found['energy_error_after_element_energies_meV_per_atom']:.1f}",
        f"{found['pressure_difference_GPa']['mean']:+.1f}",
        f"{cutoff['pressure_difference_GPa']['mean']:.1f}",
        ", ".join(f"{found['by_element'][e]['force_slope']:.2f}" for e in ("Ba", "Ti", "O")),
    ):
        assert number in page, number


@pytest.mark.slow
def test_chgnet_says_the_same_today(labels, table):
    pytest.importorskip("chgnet")
    answer = PotentialLabeller("chgnet").open(labels.elements)(labels[0].configuration)
    assert answer.energy_eV / labels[0].n_atoms == pytest.approx(table.energy_predicted_eV_per_atom[0], abs=1e-3)
