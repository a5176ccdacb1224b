"""Profiles: what a particle holds along its radius."""

from dataclasses import replace

import numpy as np
import pytest

from histories import layered_history
from tammann.analysis import frame_at, profile
from tammann.analysis.profiles import core_of, geometry_of, sites_per_formula
from tammann.errors import ResultError
from tammann.history import History


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def test_a_profile_holds_what_the_history_counts(run):
    frame = frame_at(run, temperature_K=1200)
    profiles = [profile(run, frame, particle=c) for c in range(len(run.diffusion.sites))]
    moles = sum(run.diffusion.sites[:, frame].sum(axis=1) / sites_per_formula(run))
    np.testing.assert_allclose(moles, run.moles[0, frame], rtol=1e-5, atol=1e-9)
    for one in profiles:
        np.testing.assert_allclose(one.volume_fraction.sum(axis=1), 1.0)
        np.testing.assert_allclose(one.element_share.sum(axis=1), 1.0)
    assert [one.core for one in profiles] == ["BaO", "TiO2"]
    barium = profiles[0].element_share[:, profiles[0].elements.index("Ba")]
    assert barium[0] == pytest.approx(1.0) and (np.diff(barium) < 1e-6).all()  # falls from the core outwards


def test_sites_count_the_charge_of_the_anions(run):
    sites = dict(zip(run.phases, sites_per_formula(run), strict=True))
    for phase, wanted in {"BaO": 2, "TiO2": 4, "BaTiO3": 6, "Ba2TiO4": 8, "Ba6Ti17O40": 80}.items():
        assert sites[phase] == pytest.approx(wanted, rel=1e-5)


def test_what_drives_a_flux_is_relative_to_the_core(run):
    one = profile(run, frame_at(run, temperature_K=1200))
    assert one.potential_eV[0, 0] == 0.0 and np.ptp(one.potential_eV) > 0.01
    # y rises with the share of titanium here, and ions move down their potential
    assert (np.diff(one.potential_eV[:, 0]) > -1e-6).all() or (np.diff(one.potential_eV[:, 0]) < 1e-6).all()


@pytest.mark.parametrize("geometry", ["planar", "sphere"])
def test_geometry_and_core_are_told_by_what_the_cells_hold(geometry):
    run = layered_history([[0.0, 4e-7, 1e-6]], ["TiO2", "BaO"], times_h=[0.0], geometry=geometry)
    assert geometry_of(run, 0) == geometry and core_of(run, 0) == "TiO2"


def test_anions_that_are_mixed_have_shares_too(run):
    salts = replace(run, elements=("Li", "Cl", "F"))
    assert profile(salts).elements == ("Cl", "F")


def test_what_is_not_there_is_refused(run):
    with pytest.raises(ResultError, match="only a run of the engine reactive-diffusion"):
        profile(History.example())
    with pytest.raises(ResultError, match="particle 7 is not recorded; this run has particles 0 to 1"):
        profile(run, particle=7)
    with pytest.raises(ResultError, match="frame 999 does not exist"):
        profile(run, 999)
    with pytest.raises(ResultError, match="either a time or a temperature"):
        frame_at(run)
    grid = replace(run, diffusion=replace(run.diffusion, sites=run.diffusion.sites[:0]))
    with pytest.raises(ResultError, match="recorded no profiles"):
        profile(grid)
