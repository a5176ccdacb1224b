"""A recipe ready to be run: what is looked up, drawn and said."""

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.recipe import Recipe
from tammann.transport import OnsagerCoefficients, TransportTable, save_transport
from tammann.transport.learned import LEARNED
from tammann.workflows.prepared import diffusion_of, prepare, rates_of, stretches_of
from workflows.grids import recipe

BARIUM = {
    "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
    "programme": [{"temperature_K": 1300, "ramp_K_per_min": 60, "hold_h": 0.05}],
}


def layers(**entries):
    return Recipe(**BARIUM | {"start_temperature_K": 1200, "seed": 5} | entries)


# The automaton.


def test_draws_are_of_what_the_ensemble_names():
    def scores(**ensemble):
        known = prepare(recipe(ensemble={"realizations": 2, **ensemble}))
        return known.rates, rates_of(known, 1, null=False)

    central, same = scores(energies=False, transport=False)
    assert same.equations == central.equations
    np.testing.assert_array_equal(same.score, central.score)
    central, drawn = scores(energies=True, transport=False)
    assert drawn.metadata["scale_per_s_eV"] == central.metadata["scale_per_s_eV"]
    common = set(central.equations) & set(drawn.equations)
    assert common
    ours, theirs = ([table.equations.index(text) for text in common] for table in (central, drawn))
    assert not np.allclose(central.dG_eV_per_atom[:, ours], drawn.dG_eV_per_atom[:, theirs])


@pytest.fixture(scope="module")
def known():
    return prepare(recipe())


def test_draws_of_one_seed_are_the_same_and_of_another_are_not(known):
    one, again = (rates_of(known, 2, null=False) for _ in range(2))
    np.testing.assert_array_equal(one.score, again.score)
    other = rates_of(prepare(recipe(seed=6)), 2, null=False)
    assert one.equations != other.equations or not np.array_equal(one.score, other.score)


# Reactive diffusion.


def test_reactive_diffusion_needs_no_reactions():
    prepared = prepare(layers())
    assert prepared.rates is None and prepared.reactions is None
    assert {"BaTiO3", "Ba2TiO4", "BaO", "TiO2"} <= set(prepared.solids)
    assert "11 solids, one component moves" in repr(prepared)


def test_the_programme_is_the_recipes():
    recipe = layers(programme=[{"temperature_K": 1300, "hold_h": 1}, {"temperature_K": 1250, "hold_h": 2}])
    stretches = stretches_of(recipe)
    assert sum(s.seconds for s in stretches) == pytest.approx(3600 * recipe.duration_h)
    assert (stretches[0].start_K, stretches[-1].end_K) == (1200, 1250)
    assert {s.stage for s in stretches} == {0, 1}
    ground = layers(programme=[BARIUM["programme"][0], {**BARIUM["programme"][0], "regrind": True}])
    again = [s for s in stretches_of(ground) if s.regrind]
    assert [s.start_K for s in again] == [1200]


def test_conductivities_go_with_the_rate_factor():
    plain = prepare(layers()).diffusion.conductivities
    faster = prepare(layers(calibration={"rate_factor": 3.0, "observation": "somebody"})).diffusion.conductivities
    np.testing.assert_allclose(faster.mobility, 3.0 * plain.mobility)
    assert faster.scale == pytest.approx(3.0 * plain.scale)


def test_the_null_conducts_alike_and_keeps_the_rate_factor():
    prepared = prepare(layers(calibration={"rate_factor": 3.0, "observation": "somebody"}))
    null = diffusion_of(prepared, 0, null=True).conductivities
    assert np.ptp(null.scalar, axis=1) == pytest.approx(0.0, abs=1e-12 * null.scalar.max())
    once = diffusion_of(prepare(layers()), 0, null=True).conductivities
    np.testing.assert_allclose(null.mobility, 3.0 * once.mobility)


def test_draws_keep_the_level_of_the_central_conductivities():
    prepared = prepare(layers(diffusion={"transport_relative_error": 0.5}))
    central, drawn = (diffusion_of(prepared, n, null=False) for n in (0, 1))
    assert drawn.conductivities.scale == central.conductivities.scale
    again = diffusion_of(prepared, 1, null=False)
    np.testing.assert_array_equal(again.conductivities.mobility, drawn.conductivities.mobility)
    assert not np.allclose(drawn.system.gibbs_eV[0][: len(central.system.solids)], central.system.gibbs_eV[0])
    still = prepare(layers(ensemble={"realizations": 2, "energies": False, "transport": False}))
    np.testing.assert_array_equal(
        diffusion_of(still, 1, null=False).conductivities.mobility, still.diffusion.conductivities.mobility
    )


def test_what_is_relative_is_said():
    assert any("not calibrated" in text for text in prepare(layers()).warnings)
    timed = prepare(layers(calibration={"rate_factor": 1.0, "observation": "somebody"}))
    assert not any("not calibrated" in text for text in timed.warnings)
    ruled = prepare(layers(transport="none"))
    assert any("van Liempt" in text and "BaTiO3" in text for text in ruled.warnings)


def test_a_formula_is_asked_for_as_the_system_writes_it():
    with pytest.raises(RecipeError, match=r"precursors\[1\].phase: .* as Ba-Ti-O writes it, got 'O2Ti'"):
        prepare(layers(precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "O2Ti", "ratio": 1}]))


def test_without_transport_data_melting_points_are_looked_up(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
        "CaO,-3.290,13.9,2886,0.01\nSiO2,-3.147,12.6,1996,0.01\nCaSiO3,-3.390,13.3,,0.01\n"
    )
    own = {
        "energies": str(path),
        "precursors": [{"phase": "CaO", "ratio": 1}, {"phase": "SiO2", "ratio": 1}],
    }
    prepared = prepare(layers(**own))
    assert prepared.solids == ("CaO", "SiO2", "CaSiO3")
    assert 1600.0 < prepared.phases["CaSiO3"].melting_point_K < 2200.0


@pytest.mark.parametrize("made", [layers, recipe])
def test_learned_transport_is_among_what_changes_the_answer(tmp_path, made):
    """For both engines, where it serves a phase of the run; measured transport is not."""
    entries = tuple(
        OnsagerCoefficients("BaTiO3", T, ("Ba", "Ti", "O"), np.diag(L), L, volume_A3=64.0, source=LEARNED)
        for T, L in ((1500.0, np.array([1e-12, 1e-13, 1e-11])), (2000.0, np.array([1e-11, 1e-12, 1e-10])))
    )
    first = "Learned, not measured: L of BaTiO3."
    file = tmp_path / "guess.json"
    save_transport(TransportTable("guess", LEARNED, entries, None, (first, "About volumes.")), file)
    found = prepare(made(transport=str(file)))
    said = [text for text in found.important_warnings if "earned" in text]
    assert said[0] == first and "1200 and 1300 K" in said[1] and "BaTiO3 (1500 to 2000 K)" in said[1]
    assert len(said) == 2 and set(said) < set(found.warnings)
    assert not any("earned" in text for text in prepare(made()).important_warnings)
