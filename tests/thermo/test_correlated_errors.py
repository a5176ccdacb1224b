"""Errors that compounds share: draws of measured energies vary as the reactions are known."""

import dataclasses

import numpy as np
import pytest

from tammann.thermo import assess, draw_energies, energy_above_hull, load_phases, measured_phases, with_gases
from tammann.thermo.correlated_errors import formation_from_binaries, reaction_standard_error
from tammann.thermo.draws import mean_of_draws
from tammann.thermo.freed import _text
from tammann.thermo.merged import merged
from tammann.thermo.phase import Constraint
from tammann.thermo.reference_correction import corrected
from tammann.units import KJ_PER_MOL_IN_EV

needs_freed = pytest.mark.skipif(not _text(), reason="its energy is in FREED only")


def moles(phases, **coefficients):
    row = np.zeros(len(phases))
    for formula, n in coefficients.items():
        row[phases.index(formula)] = n
    assert np.abs(row @ phases.composition_matrix).max() < 1e-12
    return row


def error_kJ(phases, **coefficients):
    return float(reaction_standard_error(phases, moles(phases, **coefficients))) / KJ_PER_MOL_IN_EV


def constituents(system, formula):
    phases = load_phases(f"measured:{system}")
    molar = phases.gibbs(1000.0) * phases.composition_matrix.sum(axis=1)
    found = formation_from_binaries(phases, phases.index(formula), molar)
    return {phases[j].formula: pytest.approx(n, abs=1e-9) for j, n in found.items()}


def test_draws_have_the_covariance_of_the_loadings():
    phases = measured_phases(["Mg", "Al", "O"])
    rng, center = np.random.default_rng(3), phases.gibbs(1000.0)
    drawn = np.array([draw_energies(phases, rng=rng).gibbs(1000.0) for _ in range(2000)]) - center
    loadings = phases.energy_set().loadings_eV_per_atom
    wanted = loadings @ loadings.T
    errors = phases.energy_set().standard_error_eV_per_atom
    assert np.sqrt(np.diag(wanted)) == pytest.approx(errors, rel=1e-12)
    scale = np.outer(errors, errors)
    assert (np.abs(np.cov(drawn.T) - wanted)[scale > 0] < 0.1 * scale[scale > 0]).all()  # 2000 draws: 1/sqrt(1000)
    shared = (
        wanted[phases.index("Al2O3"), phases.index("MgAl2O4")] / scale[phases.index("Al2O3"), phases.index("MgAl2O4")]
    )
    assert 0.2 < shared < 1.0


def test_a_reaction_is_known_as_well_as_it_was_measured():
    """Spinel from its oxides: 0.6 kJ per mole of atoms, whatever is not known of the oxides."""
    spinel = load_phases("measured:Mg-Al-O")
    made = {"MgO": -1.0, "Al2O3": -1.0, "MgAl2O4": 1.0}
    assert error_kJ(spinel, **made) == pytest.approx(0.6 * 7, rel=1e-9)
    rng = np.random.default_rng(1)
    row = moles(spinel, **made) * spinel.composition_matrix.sum(axis=1) / KJ_PER_MOL_IN_EV
    energies = np.array([draw_energies(spinel, rng=rng).gibbs(1000.0) @ row for _ in range(1000)])
    assert energies.std() == pytest.approx(4.2, rel=0.1) and energies.mean() == pytest.approx(-32.5, abs=1.0)
    cobaltate = load_phases("measured:Li-Co-O")
    assert error_kJ(cobaltate, Li2O=-0.5, CoO=-1.0, O2=-0.25, LiCoO2=1.0) == pytest.approx(1.9, abs=0.05)


def test_compounds_are_made_of_the_binaries_that_chemistry_has_them_made_of():
    assert constituents("Mg-Al-O", "MgAl2O4") == {"MgO": 1, "Al2O3": 1}
    assert constituents("Ca-C-O", "CaCO3") == {"CaO": 1, "CO2": 1}
    assert constituents("Ca-H-O", "Ca(OH)2") == {"CaO": 1, "H2O": 1}
    assert constituents("Li-Co-O", "LiCoO2") == {"Li2O": 0.5, "CoO": 1}
    assert constituents("Ca-S-O", "CaSO4") == {}, "no oxide of sulfur is a phase"
    assert constituents("Na-Al-F", "Na3AlF6") == {"NaF": 3, "AlF3": 1}
    assert constituents("Na-Cl-O", "NaClO4") == {"NaCl": 1}, "and 2 O2"


def test_what_is_stated_counts_with_an_error_of_the_entropy():
    phases = load_phases("measured:Ti-Zn-Mg-O")
    errors = dict(zip((p.formula for p in phases), phases.energy_set().standard_error_eV_per_atom, strict=True))

    def kilojoules(formula):
        return errors[formula] * phases[formula].n_atoms / KJ_PER_MOL_IN_EV

    assert kilojoules("TiO2") == pytest.approx(np.hypot(0.8, 0.63), abs=0.01)
    assert kilojoules("MgO") == pytest.approx(np.hypot(0.3, 0.42), abs=0.01)
    assert kilojoules("ZnO") > 0.4, "0.3 at 298 K, and more in a furnace"


@pytest.mark.parametrize(
    ("system", "formula", "most"),
    [
        ("Mg-Ti-O", "MgTiO3", 0.31),
        ("Mg-Si-O", "MgSiO3", 0.25),
        ("Ca-Al-O", "CaAl2O4", 0.1),
        pytest.param("Ni-Fe-O", "NiFe2O4", 0.25, marks=needs_freed),
    ],
)
def test_compounds_that_are_made_stay_on_the_hull_in_most_draws(system, formula, most):
    phases = load_phases(f"measured:{system}")
    bare = dataclasses.replace(phases.energy_set(), loadings_eV_per_atom=None)
    independent = phases.with_energies(bare)
    at = phases.index(formula)

    def share(phases):
        rng = np.random.default_rng(0)
        return np.mean([energy_above_hull(draw_energies(phases, rng=rng), 1000.0)[at] > 1e-9 for _ in range(150)])

    assert share(phases) < most
    assert share(phases) <= share(independent) + 0.05


def test_sets_without_loadings_are_drawn_as_ever_bit_for_bit():
    phases = load_phases("Ba-Ti-O")
    for name in ("materials-project", "experiment-anchored"):
        one = phases.energy_set(name)
        assert one.loadings_eV_per_atom is None
        noise = np.random.default_rng(5).standard_normal(len(phases)) * one.standard_error_eV_per_atom
        drawn = draw_energies(phases, energies=name, rng=5).energy_set()
        assert np.array_equal(drawn.gibbs_eV_per_atom, one.gibbs_eV_per_atom + noise, equal_nan=True)
    row = moles(phases, BaO=-1.0, TiO2=-1.0, BaTiO3=1.0)
    per_formula = phases.energy_set().standard_error_eV_per_atom * phases.composition_matrix.sum(axis=1)
    assert float(reaction_standard_error(phases, row)) == pytest.approx(np.linalg.norm(row * per_formula))


def test_errors_that_are_shared_are_carried_along():
    """By a choice of phases, by a gas that enters, and by a second system beside the first."""
    spinel = {"MgO": -1.0, "Al2O3": -1.0, "MgAl2O4": 1.0}
    phases = load_phases("measured:Mg-Al-O")
    known = error_kJ(phases, **spinel)
    some = phases.take(np.array([phases.index(f) for f in ("MgAl2O4", "Al2O3", "MgO", "O2")]))
    more = with_gases(phases, ["CO", "H2", "H2O"])
    beside = merged(phases, load_phases("measured:Ca-C-O")), merged(load_phases("measured:Ca-O"), phases)
    for other in (some, more, *beside):
        assert error_kJ(other, **spinel) == pytest.approx(known, rel=1e-9)
        loadings = other.energy_set().loadings_eV_per_atom
        assert np.linalg.norm(loadings, axis=1) == pytest.approx(other.energy_set().standard_error_eV_per_atom)
    independent = dataclasses.replace(load_phases("Ba-Ti-O"), default_energies="experiment-anchored")
    joint = merged(independent, load_phases("measured:Mg-Ti-O"))
    assert np.isfinite(draw_energies(joint, rng=1).gibbs(1000.0)[joint.index("MgTiO3")])


def test_an_assessment_shifts_what_its_reactions_depend_on():
    """The spinel moves and not the oxides, whose errors it shares; draws keep what is known."""
    phases = load_phases("measured:Mg-Al-O")
    start = phases.energy_set()
    compound = np.array([len(phase.composition) > 1 for phase in phases])
    base = phases.with_energies(dataclasses.replace(start, name="start", is_computed=compound), default=True)
    sides = {"left": (("MgO", 1.0), ("Al2O3", 1.0)), "right": (("MgAl2O4", 1.0),)}
    made = assess(base, [Constraint("equality", (1000.0,), "made up", **sides)], name="known")
    shifts = dict(zip((p.formula for p in phases), made.shifts_eV_per_atom, strict=True))
    assert shifts["MgAl2O4"] * 7 / KJ_PER_MOL_IN_EV == pytest.approx(32.5, abs=1.0)
    assert abs(shifts["MgO"]) < 1e-9 and abs(shifts["Al2O3"]) < 1e-9
    known = base.with_energies(made, default=True)
    row = moles(phases, MgO=-1.0, Al2O3=-1.0, MgAl2O4=1.0) * phases.composition_matrix.sum(axis=1)
    for seed in range(3):
        assert draw_energies(known, rng=seed).gibbs(1000.0) @ row == pytest.approx(0.0, abs=1e-9)
    assert mean_of_draws(known, pairs=2).gibbs_eV_per_atom == pytest.approx(made.gibbs_eV_per_atom, abs=1e-9)


def test_a_corrected_energy_shares_the_errors_of_its_references():
    """X of two measured binaries, computed: the reaction has the error of computed energies, X that of the binaries."""
    measured = load_phases("measured:Ba-Ti-O")
    library = measured.take(np.array([i for i, p in enumerate(measured) if p.formula not in ("BaTiO3", "Ba2TiO4")]))
    computed = load_phases("Ba-Ti-O")
    names = ["BaO", "TiO2", "BaTiO3"]
    mine = dataclasses.replace(computed, default_energies="materials-project")
    joint = corrected(mine.take(np.array([mine.index(f) for f in names])), library, name="joint")
    made = {"BaO": -1.0, "TiO2": -1.0, "BaTiO3": 1.0}
    energies = joint.energy_set()
    independent = joint.with_energies(dataclasses.replace(energies, loadings_eV_per_atom=None), default=True)
    alone = 0.040 * 5 / KJ_PER_MOL_IN_EV
    assert error_kJ(joint, **made) == pytest.approx(alone, rel=1e-6) and error_kJ(independent, **made) > alone
    assert energies.standard_error_eV_per_atom[joint.index("BaTiO3")] > 0.040
