"""The amorphous limit against the hull of crystals of the same potential."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.load import load_engine
from tammann.potentials import imported_potential
from tammann.structures import Configuration
from tammann.workflows.database.limits import amorphous_limit, crystal_energies


@pytest.fixture(scope="module")
def emt():
    return imported_potential("ase.calculators.emt:EMT")


def test_disordered_copper_lies_above_the_crystal(emt, tmp_path):
    from ase.build import bulk
    from ase.io import write

    write(tmp_path / "Cu.cif", bulk("Cu", cubic=True))
    write(tmp_path / "Au.cif", bulk("Au", cubic=True))
    crystals = crystal_energies([str(tmp_path / "Cu.cif"), str(tmp_path / "Au.cif")], emt)
    assert set(crystals) == {"Cu", "Au"}
    frames = []
    for seed in range(2):
        atoms = bulk("Cu", cubic=True).repeat(2)
        atoms.rattle(0.6, seed=seed)
        frames.append(Configuration.from_ase(atoms))
    found = amorphous_limit("Cu", frames, emt, load_engine("ase"), steps=60, crystals=crystals)
    assert found.frames == 2 and found.phases == {"Cu": pytest.approx(1.0)}
    assert found.hull_eV_per_atom == pytest.approx(crystals["Cu"][1])
    assert -1e-3 < found.above_hull_eV_per_atom < 0.5
    row = found.row("emt", 300.0)
    assert (
        row["temperature_K"] == 300.0
        and row["potential"] == "emt"
        and row["above_hull_eV_per_atom"] == found.above_hull_eV_per_atom
    )


def test_the_limit_is_the_lowest_of_the_frames(emt):
    from ase.build import bulk

    crystal = Configuration.from_ase(bulk("Cu", cubic=True))
    frames = [crystal.at_volume(crystal.volume_A3 * scale) for scale in (1.3, 1.0, 1.2)]
    alone = [amorphous_limit("Cu", [one], emt, load_engine("ase"), steps=0).energy_eV_per_atom for one in frames]
    together = amorphous_limit("Cu", frames, emt, load_engine("ase"), steps=0)
    assert together.energy_eV_per_atom == min(alone) == alone[1] and together.frames == 3


def test_the_lowest_polymorph_counts_and_frames_at_rest_are_told(emt, tmp_path):
    from ase.build import bulk
    from ase.io import write

    write(tmp_path / "fcc.cif", bulk("Cu", cubic=True))
    write(tmp_path / "bcc.cif", bulk("Cu", "bcc", 2.9, cubic=True))
    each = [crystal_energies([str(tmp_path / name)], emt)["Cu"][1] for name in ("fcc.cif", "bcc.cif")]
    for order in (("fcc.cif", "bcc.cif"), ("bcc.cif", "fcc.cif")):
        assert crystal_energies([str(tmp_path / name) for name in order], emt)["Cu"][1] == pytest.approx(min(each))
    assert abs(each[0] - each[1]) > 1e-3
    shaken = bulk("Cu", cubic=True).repeat(2)
    shaken.rattle(0.3, seed=1)
    frames = [Configuration.from_ase(bulk("Cu", cubic=True)), Configuration.from_ase(shaken)]
    assert amorphous_limit("Cu", frames, emt, load_engine("ase"), steps=0).relaxed == 1


def test_a_mixture_and_what_is_not_spanned(emt):
    mixed = Configuration(("Cu", "Au"), np.array([[0, 0, 0], [2.0, 2.0, 2.0]]), 4.0 * np.eye(3))
    known = {"Cu": ({"Cu": 4}, -0.5), "Au": ({"Au": 4}, -1.0)}
    found = amorphous_limit("CuAu", [mixed], emt, load_engine("ase"), steps=0, crystals=known)
    assert found.hull_eV_per_atom == pytest.approx(-0.75)
    assert found.phases == {"Cu": pytest.approx(0.5), "Au": pytest.approx(0.5)}
    alone = amorphous_limit("CuAu", [mixed], emt, load_engine("ase"), steps=0, crystals={"Cu": known["Cu"]})
    assert alone.hull_eV_per_atom is None and alone.above_hull_eV_per_atom is None
    with pytest.raises(DataError, match="frames"):
        amorphous_limit("CuAu", [], emt, load_engine("ase"))
