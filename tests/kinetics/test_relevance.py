"""Which phases of a large system are looked at, and how many may be."""

from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.kinetics import rate_table, relevant_phases
from tammann.kinetics import relevance as relevance_module
from tammann.kinetics import selection as selection_module
from tammann.reactions import enumerate_reactions
from tammann.recipe import Recipe
from tammann.thermo import draw_energies, energy_above_hull, load_phases
from tammann.transport import load_transport

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"


def recipe(**more):
    return Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1500, "hold_h": 1}],
        **more,
    )


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(relevance_module, "_MANY", 5)


def test_a_small_system_stays_whole():
    phases = load_phases("Ba-Ti-O")
    assert relevant_phases(phases, recipe()) is phases
    assert relevance_module.may_open(phases, recipe()) is None


@pytest.mark.parametrize("atmosphere", ["inert", "air", "vacuum"])
def test_what_is_left_out_would_not_have_formed(few, atmosphere):
    """The table of the phases left is that of all phases."""
    phases, one = load_phases("Ba-Ti-O"), recipe(atmosphere=atmosphere)
    left = relevant_phases(phases, one)
    assert len(left) < len(phases)
    whole = rate_table(enumerate_reactions(phases), None, one)
    part = rate_table(enumerate_reactions(left), None, one)
    assert set(part.phases) == set(whole.phases) and set(part.equations) == set(whole.equations)
    order = [part.equations.index(equation) for equation in whole.equations]
    np.testing.assert_allclose(part.score[:, order], whole.score, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("preset", "atmosphere"),
    [("paper", "inert"), ("paper", {"partial_pressure_Pa": {"CO2": 1e5}}), ("public-code", "air")],
)
def test_reactions_left_out_would_not_have_opened(few, preset, atmosphere):
    """The tables of the reactions kept, the geometric null and a draw of the energies included, are those of all."""
    one = recipe(atmosphere=atmosphere, kinetics={"preset": preset})
    phases, transport = load_phases("Ba-Ti-O"), load_transport("karan-2026")
    whole = enumerate_reactions(phases)
    part = enumerate_reactions(phases, keep=relevance_module.may_open(phases, one))
    assert len(part) < len(whole)
    drawn = draw_energies(phases, energies="assessed", rng=1) if preset == "paper" else phases
    for energies, null in ((phases, False), (phases, True), (drawn, False)):
        expected, got = (rate_table(some.of(energies), transport, one, null=null) for some in (whole, part))
        assert got.equations == expected.equations
        np.testing.assert_allclose(got.score, expected.score, rtol=1e-9, atol=1e-15)


def test_elements_that_nobody_brings_are_left_out(few, tmp_path):
    path = tmp_path / "mine.csv"
    names = ["MgO", "Al2O3", "MgAl2O4", "CaO", "CaAl2O4", "SiO2", "MgSiO3"]
    path.write_text(HEADER + "".join(f"{name},-3.1,10,2300,0.02\n" for name in names))
    one = Recipe(
        precursors=[{"phase": "MgO", "ratio": 1}, {"phase": "Al2O3", "ratio": 1}],
        programme=[{"temperature_K": 1500, "hold_h": 1}],
        energies=str(path),
    )
    left = relevant_phases(load_phases(path), one)
    assert [phase.formula for phase in left] == ["MgO", "Al2O3", "MgAl2O4", "O2"]
    assert left.elements == ("Al", "Mg", "O")


def test_what_lies_far_above_the_hull_is_left_out_unless_it_is_put_in(few, tmp_path):
    path = tmp_path / "mine.csv"
    energies = {"MgO": -3.05, "Al2O3": -3.43, "MgAl2O4": -3.35, "Mg2Al2O5": -2.9, "Mg3Al2O6": -3.2, "MgAl4O7": -3.3}
    path.write_text(HEADER + "".join(f"{name},{energy},9.4,2300,0.02\n" for name, energy in energies.items()))

    def left(*precursors, **kinetics):
        one = Recipe(
            precursors=[{"phase": phase, "ratio": 1} for phase in precursors],
            programme=[{"temperature_K": 1500, "hold_h": 1}],
            energies=str(path),
            kinetics=kinetics,
        )
        return {phase.formula for phase in relevant_phases(load_phases(path), one)}

    phases = load_phases(path)
    above = min(energy_above_hull(phases, T)[phases.index("Mg2Al2O5")] for T in (300.0, 900.0, 1500.0))
    assert above > 0.067 + 0.04
    assert left("MgO", "Al2O3") == {p.formula for p in phases} - {"Mg2Al2O5"}
    assert "Mg2Al2O5" in left("MgO", "Mg2Al2O5")
    assert "Mg2Al2O5" in left("MgO", "Al2O3", metastable_limit_eV_per_atom=None)


def test_more_phases_than_a_byte_can_name_are_refused(few, monkeypatch):
    rates = rate_table(enumerate_reactions(load_phases("Ba-Ti-O")), None, recipe())
    monkeypatch.setattr(selection_module, "MOST_PHASES", 6)
    with pytest.raises(RecipeError, match=r"phases of Ba-Ti-O could take part, expected at most 6"):
        relevant_phases(load_phases("Ba-Ti-O"), recipe())
    n = 300
    with pytest.raises(RecipeError, match="it has 300 condensed phases, expected at most 254"):
        replace(
            rates,
            phases=tuple(f"P{i}" for i in range(n)),
            composition=np.ones((n, len(rates.elements))),
            molar_volume_m3=np.ones(n),
            molar_mass_kg=np.ones(n),
            melting_point_K=np.ones(n),
            exchange=np.zeros((len(rates.temperature_K), n)),
        )
