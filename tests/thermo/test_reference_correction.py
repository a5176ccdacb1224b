from pathlib import Path

import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.thermo import load_phases
from tammann.thermo.gibbs import TEMPERATURES_K, bartel_gibbs, enthalpy_of
from tammann.thermo.measured import measured_phases
from tammann.thermo.phase import Phase, Phases, energy_set_of
from tammann.thermo.reference_correction import corrected, reference_correction, thermal_correction

OXIDES = Path(__file__).parent / "ternary-oxides.json"
"""Made by docs/crystals.py."""
FORMULAS = ("YO", "Y2O3", "MnO", "Mn3O4", "Mn2O3", "MnO2", "NaCl", "YCl3", "MnCl2", "Na2O", "NaYO2", "MnY2O4", "YMn2O5")
TARGETS = ("YMnO3", "NaMnO2", "YOCl")


def truth(formula):
    """Gibbs energies without meaning, smooth in composition and T, eV per atom."""
    counts = parse_formula(formula)
    x = {e: n / sum(counts.values()) for e, n in counts.items()}
    anion = x.get("O", 0.0) + x.get("Cl", 0.0)
    depth = -12.0 * anion * (1.0 - anion) * (0.7 + 0.3 * x.get("Y", 0.0)) - 0.4 * (len(x) - 2)
    return depth + 2.5e-4 * anion * TEMPERATURES_K


def system(energies, *, computed=True, error=0.01, name="made"):
    phases = [Phase(f, parse_formula(f), volume_A3_per_atom=12.0, melting_point_K=1500.0) for f in energies]
    columns = [(table, error, name, computed) for table in energies.values()]
    elements = tuple(sorted({e for p in phases for e in p.composition}))
    one = energy_set_of(name, "", TEMPERATURES_K, columns)
    return Phases("-".join(elements), elements, tuple(phases), {name: one}, name)


def element_error(formula, slope=0.0):
    """What a functional does to an energy: so much per atom of oxygen, of chlorine and of manganese."""
    counts = parse_formula(formula)
    atoms = sum(counts.values())
    per_atom = sum({"O": 0.35, "Cl": 0.2, "Mn": -0.3}.get(e, 0.0) * n for e, n in counts.items()) / atoms
    return per_atom * (1.0 + slope * TEMPERATURES_K)


def pair(error, rng=None, scatter=0.0):
    formulas = (*FORMULAS, *TARGETS)
    noise = (
        dict.fromkeys(formulas, 0.0) if rng is None else dict(zip(formulas, rng.normal(0.0, scatter, 16), strict=True))
    )
    computed = system({f: truth(f) + error(f) + noise[f] for f in formulas})
    measured = system({f: truth(f) for f in FORMULAS}, computed=False, error=0.0, name="measured")
    return computed, measured


def test_no_error_needs_no_correction():
    computed, measured = pair(lambda f: 0.0 * TEMPERATURES_K)
    found = reference_correction(computed, measured)
    assert np.abs(found.left_out_eV_per_atom).max() == pytest.approx(0.0, abs=1e-12)
    assert found.error_eV_per_atom({"Y": 1, "O": 1, "Cl": 1}) == pytest.approx(0.0, abs=1e-12)
    joint = corrected(computed, measured)
    for formula in (*FORMULAS, *TARGETS):
        assert joint.energy_set().gibbs_eV_per_atom[:, joint.index(formula)] == pytest.approx(truth(formula), abs=1e-12)


@pytest.mark.parametrize("slope", [0.0, 3e-4])
def test_errors_of_elements_are_found_to_a_hundredth(slope):
    computed, measured = pair(lambda f: element_error(f, slope))
    joint = corrected(computed, measured)
    for formula in TARGETS:
        left = joint.energy_set().gibbs_eV_per_atom[:, joint.index(formula)] - truth(formula)
        assert np.abs(left).max() < 0.15 * np.abs(element_error(formula, slope)).max() + 0.02


def test_a_reaction_between_solids_cancels_the_error_of_each_oxide():
    """Where oxides are off by what their binary oxides are, YMnO3 from Y2O3 and Mn2O3 is exact."""
    off = {"Y2O3": 0.11, "Mn2O3": -0.07}
    mix = (5 * off["Y2O3"] + 5 * off["Mn2O3"]) / 10
    computed = system({f: truth(f) + e for f, e in (("Y2O3", off["Y2O3"]), ("Mn2O3", off["Mn2O3"]), ("YMnO3", mix))})
    measured = system({f: truth(f) for f in ("Y2O3", "Mn2O3")}, computed=False, name="measured")
    found = reference_correction(computed, measured, method="reactions")
    assert found.shares(parse_formula("YMnO3")) == pytest.approx([0.5, 0.5])
    joint = corrected(computed, measured, correction=found)
    assert joint.gibbs(1000.0)[joint.index("YMnO3")] == pytest.approx(np.interp(1000.0, TEMPERATURES_K, truth("YMnO3")))


def test_measured_energies_stay_and_errors_are_stated():
    computed, measured = pair(element_error)
    joint = corrected(computed, measured)
    energies = joint.energy_set()
    for i, phase in enumerate(joint):
        is_new = phase.formula in TARGETS
        assert bool(energies.is_computed[i]) is is_new
        assert "measured" in energies.source[i]
        assert bool(energies.standard_error_eV_per_atom[i] > 0.0) is is_new
    (sentence,) = [text for text in joint.warnings if "standard error" in text]
    assert all(formula in sentence for formula in TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("scatter", [0.01, 0.04])
def test_stated_errors_are_those_of_the_compounds_nobody_measured(scatter):
    rng = np.random.default_rng(5)
    scores = []
    for _ in range(15):
        computed, measured = pair(element_error, rng, scatter)
        joint = corrected(computed, measured)
        row = int(np.argmin(np.abs(TEMPERATURES_K - 1000.0)))
        for formula in TARGETS:
            i = joint.index(formula)
            left = joint.energy_set().gibbs_eV_per_atom[row, i] - truth(formula)[row]
            scores.append(left / joint.energy_set().standard_error_eV_per_atom[i])
    assert 0.4 < np.sqrt(np.mean(np.square(scores))) < 1.4


def test_multiples_of_a_formula_are_corrected_alike():
    computed, measured = pair(element_error)
    found = reference_correction(computed, measured)
    assert found.correction({"Y": 1, "Mn": 1, "O": 3}) == pytest.approx(found.correction({"Y": 4, "Mn": 4, "O": 12}))


def test_one_reference_in_common_is_too_few_to_leave_out():
    computed = system({"Y2O3": truth("Y2O3") + 0.1, "YOCl": truth("YOCl") + 0.1})
    measured = system({"Y2O3": truth("Y2O3"), "NaCl": truth("NaCl")}, computed=False, name="measured")
    joint = corrected(computed, measured)
    assert joint.energy_set().standard_error_eV_per_atom[joint.index("YOCl")] >= 0.04
    assert "too few to leave out" in joint.warnings[-1]


def test_nothing_in_common_is_said():
    computed = system({"YOCl": truth("YOCl")})
    measured = system({"NaCl": truth("NaCl")}, computed=False, name="measured")
    joint = corrected(computed, measured)
    assert joint.energy_set().standard_error_eV_per_atom[joint.index("YOCl")] == pytest.approx(0.06)
    assert "no compound of the same source has been measured; add computed ones that have" in joint.warnings[-1]


def test_energies_that_are_the_users_own_measurements_count_before_the_library():
    own = system({"Y2O3": truth("Y2O3") - 0.5}, computed=False, name="mine")
    measured = system({f: truth(f) for f in FORMULAS}, computed=False, name="measured")
    joint = corrected(own, measured)
    assert joint.gibbs(1000.0)[joint.index("Y2O3")] == pytest.approx(
        np.interp(1000, TEMPERATURES_K, truth("Y2O3")) - 0.5
    )
    assert len(joint) == len(FORMULAS)


def test_shipped_computed_energies_find_barium_titanate():
    """Energies of the Materials Project, tied to measured ones, give that of BaTiO3 within the error."""
    phases = load_phases("Ba-Ti-O")
    published = phases.with_energies(phases.energy_set("materials-project"), default=True)
    experiment = phases.with_energies(phases.energy_set("experiment-anchored"), default=True)
    known = experiment.take(np.array([experiment.index(f) for f in ("BaO", "TiO2", "Ti2O3", "Ba2TiO4")]))
    joint = corrected(published, known, name="joint")
    i = joint.index("BaTiO3")
    true = experiment.gibbs(1000.0)[experiment.index("BaTiO3")]
    assert abs(joint.gibbs(1000.0)[i] - true) < 2.0 * joint.energy_set().standard_error_eV_per_atom[i]


def test_an_unknown_method_is_refused():
    computed, measured = pair(element_error)
    with pytest.raises(DataError, match=r"^method 'best' is unknown: expected reactions, elements, none"):
        reference_correction(computed, measured, method="best")


@pytest.mark.parametrize("elements", [["Mg", "Ti", "O"], ["Ca", "Si", "O"], ["Mg", "Al", "Si", "O"], ["Ca", "Al", "O"]])
def test_thermal_parts_of_neighbours_are_better_than_the_descriptor_alone(elements):
    """Each ternary oxide left out in turn, from its own enthalpy, against its measured Gibbs energy at 1300 K."""
    library = measured_phases(elements)
    energies = library.energy_set()
    T, row = energies.temperature_K, 10
    plain, better = [], []
    for i, phase in enumerate(library):
        if len(phase.composition) > 2 and phase.state == "solid":
            table = energies.gibbs_eV_per_atom[:, i]
            others = library.take(np.array([j for j in range(len(library)) if j != i]))
            guess = bartel_gibbs(phase.composition, enthalpy_of(table, T), phase.volume_A3_per_atom, T)
            plain.append(table[row] - guess[row])
            better.append(plain[-1] - thermal_correction(phase.composition, others)[row])
    assert len(plain) > 1
    assert np.sqrt(np.mean(np.square(better))) < 0.5 * np.sqrt(np.mean(np.square(plain)))
    assert np.abs(better).max() < 0.035


def test_computed_ternary_oxides_from_binary_ones():
    """CHGNet's energies of oxides, ternary ones tied to measured binary ones only, against their measured energies."""
    pytest.importorskip("pymatgen")
    computed = load_phases(OXIDES)
    library = measured_phases(computed.elements)
    binary = library.take(np.array([i for i, phase in enumerate(library) if len(phase.composition) < 3]))
    joint = corrected(computed, binary)
    energies = joint.energy_set()
    plain, left, scores = [], [], []
    for phase in computed:
        if len(phase.composition) == 3 and phase.formula in library:
            true = library.gibbs(1000.0)[library.index(phase.formula)]
            i = joint.index(phase.formula)
            plain.append(computed.gibbs(1000.0)[computed.index(phase.formula)] - true)
            left.append(joint.gibbs(1000.0)[i] - true)
            scores.append(left[-1] / energies.standard_error_eV_per_atom[i])
    assert len(left) >= 4
    assert np.sqrt(np.mean(np.square(plain))) > 0.08 and np.sqrt(np.mean(np.square(left))) < 0.035
    assert np.abs(scores).max() < 2.0


def test_errors_of_mixtures_are_those_of_mixtures_left_out():
    pytest.importorskip("pymatgen")
    computed = load_phases(OXIDES)
    found = reference_correction(computed, measured_phases(computed.elements))
    inside = found.left_out_eV_per_atom[found.is_mixture]
    assert found.is_mixture_of_references({"Sr": 2, "Ti": 1, "O": 4})
    assert not found.is_mixture_of_references({"Sr": 1, "O": 2})
    stated = found.error_eV_per_atom({"Sr": 2, "Ti": 1, "O": 4})
    assert np.sqrt(np.mean(inside**2)) <= stated < 0.05
    assert found.error_eV_per_atom({"Sr": 1, "O": 2}) > stated
