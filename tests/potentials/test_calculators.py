"""Potentials of other packages, by import path or name; refusals in one sentence."""

import sys

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.ase import AseEngine
from tammann.potentials.calculators import chgnet, imported_potential
from tammann.structures import Configuration

PAIR = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), 8.0 * np.eye(3))


@pytest.mark.parametrize(
    "path, words",
    [
        ("buckingham", "expected module:callable"),
        ("a b:c", "expected module:callable"),
        (":make", "expected module:callable"),
        ("no_such_package:make", "cannot import no_such_package .*PYTHONPATH"),
        ("potentials.toys:nowhere", "no callable nowhere"),
        ("potentials.toys:number", "no callable number"),
        ("potentials.toys:broken", "calling broken without arguments failed with ValueError: weights not found"),
        ("potentials.toys:no_calculator", "expected an ASE calculator, got dict"),
        ("potentials.toys:no_stress", "has no stress"),
        ("ase.calculators.emt:EMT", r"failed \(NotImplementedError: No EMT-potential for Mg\)"),
    ],
)
def test_one_sentence_each(path, words):
    with pytest.raises(DataError, match=words) as caught:
        AseEngine().single_point(PAIR, imported_potential(path))
    assert "\n" not in str(caught.value) and path.partition(":")[0] in str(caught.value)


def test_a_failure_on_the_way_is_one_sentence():
    from tammann.md.conditions import Conditions

    with pytest.raises(DataError, match=r"failing failed \(RuntimeError: out of memory\)") as caught:
        AseEngine().run(PAIR, imported_potential("potentials.toys:failing"), Conditions(300.0), duration_ps=0.1, rng=1)
    assert "\n" not in str(caught.value)


def test_other_people_print_and_warn_to_nobody(capsys):
    AseEngine().single_point(PAIR, imported_potential("potentials.toys:talking"))
    assert capsys.readouterr() == ("", "")


def test_chgnet_knows_what_it_was_made_for():
    with pytest.raises(DataError, match="PoO2: potential chgnet was not made for Po;"):
        chgnet().check(["Po", "O"], formula="PoO2")
    chgnet().check(["Ba", "Ti", "O", "U"])


def test_missing_packages_name_their_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "chgnet.model.dynamics", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[chgnet\]'"):
        AseEngine().single_point(PAIR, chgnet())


@pytest.mark.slow
def test_chgnet_knows_magnesia(capsys):
    """MgO in the Materials Project: -5.98 eV per atom, -6.33 with its correction of oxides; hardly any pressure."""
    pytest.importorskip("chgnet")
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = 4.26 * np.concatenate([faces, faces + [0.5, 0, 0]])
    per_atom, forces, pressure = AseEngine().single_point(
        Configuration(("Mg",) * 4 + ("O",) * 4, sites, 4.26 * np.eye(3)), chgnet()
    )
    assert per_atom == pytest.approx(-6.33, abs=0.05)
    assert np.abs(forces).max() < 1e-3 and np.abs(pressure).max() < 3.0
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_two_chgnets_are_two_levels_of_theory():
    """Energies of PBE with corrections and of r2SCAN differ by electronvolts an atom, forces hardly."""
    pytest.importorskip("chgnet")
    from tammann.potentials import load_potential

    cell = PAIR.at_volume(40.0)
    (pbe, f_pbe, _), (r2scan, f_r2scan, _) = (
        AseEngine().single_point(cell, load_potential(name)) for name in ("chgnet", "chgnet-r2scan")
    )
    assert abs(pbe - r2scan) > 0.3 and not np.array_equal(f_pbe, f_r2scan)
