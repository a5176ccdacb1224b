"""Phonons with known answers; they need the extra phonons."""

import sys

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from potentials.broken import Pairs, morse, smooth, sound
from tammann.errors import DataError
from tammann.potentials.crystals import relax_crystal
from tammann.potentials.phonons import crystal_phonons
from tammann.structures import Configuration


def relaxed_copper(calculator):
    return relax_crystal(calculator, Configuration.from_ase(bulk("Cu", a=3.6)))[0]


def test_missing_phonopy_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "phonopy", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[phonons\]'"):
        crystal_phonons(sound(), relaxed_copper(sound()))


def test_copper_is_stable_with_three_acoustic_modes():
    pytest.importorskip("phonopy")
    found = crystal_phonons(EMT(), relaxed_copper(EMT()), supercell=(3, 3, 3))
    assert found.stable and not found.imaginary_modes
    assert found.frequencies_THz.shape[1] == 3 and found.displacements == 1
    assert found.labels[0] == ("Γ", 0.0)
    np.testing.assert_allclose(found.frequencies_THz[0], 0.0, atol=1e-3)
    # measured: 7.2 THz, longitudinal at X (Svensson, Brockhouse, Rowe, Phys. Rev. 1967, 155, 619); EMT is near
    assert found.frequencies_THz.max() == pytest.approx(7.5, abs=1.0)
    area = np.trapezoid(found.density, found.density_frequencies_THz)
    assert area == pytest.approx(3.0, rel=0.05)


def test_a_maximum_of_the_energy_has_imaginary_modes():
    pytest.importorskip("phonopy")
    upside_down = Pairs(
        lambda r: -(morse(r)[0] * smooth(r)[0]), lambda r: -(morse(r)[1] * smooth(r)[0] + morse(r)[0] * smooth(r)[1])
    )
    found = crystal_phonons(upside_down, relaxed_copper(sound()), supercell=(2, 2, 2))
    assert not found.stable
    assert any(text.startswith("X: ") and text.endswith("i THz") for text in found.imaginary_modes)
    same = crystal_phonons(sound(), relaxed_copper(sound()), supercell=(2, 2, 2))
    assert found.lowest_THz == pytest.approx(-same.frequencies_THz.max(), rel=0.03)


def test_a_supercell_without_size_is_refused():
    pytest.importorskip("phonopy")
    with pytest.raises(DataError, match="three whole numbers"):
        crystal_phonons(sound(), relaxed_copper(sound()), supercell=(2, 0, 2))
