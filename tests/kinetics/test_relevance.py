"""Which reactions of a large system are looked at, and how many phases there may be."""

from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.kinetics import rate_table, relevant_reactions
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


def assert_same_tables(whole, part, one, transport=None, **options):
    """The table of the reactions kept is that of all, channel by channel."""
    expected, got = (rate_table(some, transport, one, **options) for some in (whole, part))
    assert got.equations == expected.equations and got.phases == expected.phases
    np.testing.assert_allclose(got.score, expected.score, rtol=1e-9, atol=1e-15)
    assert got.metadata["scale_per_s_eV"] == expected.metadata["scale_per_s_eV"]
    return got


def test_a_small_system_stays_whole():
    phases = load_phases("Ba-Ti-O")
    np.testing.assert_array_equal(
        relevant_reactions(phases, recipe()).coefficients, enumerate_reactions(phases).coefficients
    )


@pytest.mark.parametrize("atmosphere", ["inert", "air", "vacuum"])
def test_what_is_left_out_would_not_have_formed(few, atmosphere):
    """The table of the reactions left is that of all reactions."""
    phases, one = load_phases("Ba-Ti-O"), recipe(atmosphere=atmosphere)
    assert_same_tables(enumerate_reactions(phases), relevant_reactions(phases, one), one)


def with_one_more(phases, extra):
    """The same system with one more phase, whose energy is -1 eV per atom."""

    def longer(one):
        added = {
            "gibbs_eV_per_atom": np.column_stack([one.gibbs_eV_per_atom, np.full(len(one.temperature_K), -1.0)]),
            "source": (*one.source, "invented"),
        }
        for name in ("standard_error_eV_per_atom", "is_computed", "shifts_eV_per_atom"):
            added[name] = np.append(getattr(one, name), 0).astype(getattr(one, name).dtype)
        added["entropy_shifts_eV_per_K_per_atom"] = np.append(one.entropy_shifts_eV_per_K_per_atom, 0.0)
        return replace(one, **added)

    sets = {name: longer(one) for name, one in phases.energy_sets.items()}
    elements = tuple(sorted({*phases.elements, *extra.composition}))
    return replace(phases, elements=elements, phases=(*phases.phases, extra), energy_sets=sets)


@pytest.mark.parametrize("precursors", [("BaO", "TiO2"), ("Ti2O3", "TiO2"), ("BaCO3", "TiO2")])
@pytest.mark.parametrize("null", [False, True])
def test_one_phase_too_many_changes_nothing(monkeypatch, precursors, null):
    """On either side of the number of phases from which reactions are left out the table is the same: scale and null,
    which ask for phases far above the hull and for end members that no precursor brings, too."""
    phases, transport = load_phases("Ba-Ti-O"), load_transport("karan-2026")
    one = recipe().with_options(precursors=[{"phase": phase, "ratio": 1} for phase in precursors])
    solids = sum(phase.state != "gas" for phase in phases)
    monkeypatch.setattr(relevance_module, "_MANY", solids)
    whole = relevant_reactions(phases, one)
    rock = replace(phases[phases.index("TiO2")], formula="SrO", composition={"Sr": 1, "O": 1})
    part = relevant_reactions(with_one_more(phases, rock), one)
    assert len(part) < len(whole)  # the filter is at work
    assert_same_tables(whole, part, one, transport, null=null)


def test_a_window_between_the_temperatures_of_the_energies_is_seen(few):
    """BaTi2O5 lies 0.3 eV above its place but for 60 K around 1150 K: what forms it there is kept."""
    phases, one = load_phases("Ba-Ti-O"), recipe()
    energies, here = phases.energy_set(), phases.index("BaTi2O5")
    grid = np.unique([*energies.temperature_K, 1120.0, 1150.0, 1180.0])
    gibbs = phases.gibbs(grid)
    gibbs[grid != 1150.0, here] += 0.3
    phases = phases.with_energies(replace(energies, temperature_K=grid, gibbs_eV_per_atom=gibbs))
    table = assert_same_tables(enumerate_reactions(phases), relevant_reactions(phases, one), one)
    made = [c for c, equation in enumerate(table.equations) if "-> BaTi2O5" in equation]
    opens = table.temperature_K[(table.score[:, made] > 0).any(axis=1)]
    assert opens.size and opens.min() >= 1120.0 and opens.max() <= 1180.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "atmosphere"),
    [("paper", "inert"), ("paper", {"partial_pressure_Pa": {"CO2": 1e5}}), ("public-code", "air")],
)
def test_reactions_left_out_would_not_have_opened(few, preset, atmosphere):
    """The tables of the reactions kept, the geometric null and a draw of the energies included, are those of all."""
    one = recipe(atmosphere=atmosphere, kinetics={"preset": preset})
    phases, transport = load_phases("Ba-Ti-O"), load_transport("karan-2026")
    whole = enumerate_reactions(phases)
    part = relevant_reactions(phases, one)
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
    left = relevant_reactions(load_phases(path), one)
    assert formulas(left) & {"MgO", "Al2O3", "MgAl2O4"} == {"MgO", "Al2O3", "MgAl2O4"}
    foreign = left.coefficients[:, [left.phases.index("CaO"), left.phases.index("SiO2")]].any(axis=1)
    solid = left.coefficients[foreign] * ~left.phases.is_gas
    assert ((solid < 0).sum(axis=1) == 2).all() and ((solid > 0).sum(axis=1) == 1).all()  # for the scale and the null


def formulas(reactions):
    return {
        phase.formula for phase, used in zip(reactions.phases, reactions.coefficients.any(axis=0), strict=True) if used
    }


def test_what_lies_far_above_the_hull_is_left_out_unless_it_is_put_in(few, tmp_path):
    path = tmp_path / "mine.csv"
    energies = {"MgO": -3.05, "Al2O3": -3.43, "MgAl2O4": -3.35, "Mg2Al2O5": -2.9, "Mg3Al2O6": -3.2, "MgAl4O7": -3.3}
    path.write_text(HEADER + "".join(f"{name},{energy},9.4,2300,0.02\n" for name, energy in energies.items()))

    def left(*precursors, **kinetics):
        """The phases that decompose or form from one other phase."""
        one = Recipe(
            precursors=[{"phase": phase, "ratio": 1} for phase in precursors],
            programme=[{"temperature_K": 1500, "hold_h": 1}],
            energies=str(path),
            kinetics=kinetics,
        )
        found = relevant_reactions(load_phases(path), one)
        solid = found.coefficients * ~found.phases.is_gas
        return formulas(found.take(np.flatnonzero((solid < 0).sum(axis=1) == 1)))

    phases = load_phases(path)
    above = min(energy_above_hull(phases, T)[phases.index("Mg2Al2O5")] for T in (300.0, 900.0, 1500.0))
    assert above > 0.067 + 0.04
    assert "Mg2Al2O5" not in left("MgO", "Al2O3")
    assert "Mg2Al2O5" in left("MgO", "Mg2Al2O5")
    assert "Mg2Al2O5" in left("MgO", "Al2O3", metastable_limit_eV_per_atom=None)


def test_more_phases_than_a_byte_can_name_are_refused(monkeypatch):
    rates = rate_table(enumerate_reactions(load_phases("Ba-Ti-O")), None, recipe())
    monkeypatch.setattr(selection_module, "MOST_PHASES", 6)
    with pytest.raises(RecipeError, match=r"phases of Ba-Ti-O can form, expected at most 6"):
        rate_table(enumerate_reactions(load_phases("Ba-Ti-O")), None, recipe())
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
