"""Displacement analysis against independent codes, where they are installed: MDAnalysis and kinisi; and against loops.

Positions are whole multiples of 1/64 Å, which single precision holds exactly: MDAnalysis keeps coordinates in it.
"""

import importlib
import warnings
from types import ModuleType

import numpy as np
import pytest

from tammann.trajectory import trajectory_from_arrays
from tammann.transport import displacement_correlations, measure_onsager

INTERVAL_PS = 0.05
SYMBOLS = ("Na",) * 6 + ("Cl",) * 9
CELL = np.array([[24.0, 0.0, 0.0], [8.0, 24.0, 0.0], [-4.0, 6.0, 32.0]])


def installed(name: str) -> ModuleType:
    """A package that may be missing, and that may warn as it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name.partition(".")[0], exc_type=ImportError)
        return importlib.import_module(name)


@pytest.fixture
def positions():
    """Unwrapped walks of 15 ions with a drift in common, Å."""
    rng = np.random.default_rng(11)
    steps = rng.normal(scale=0.3, size=(400, 15, 3)) + np.array([0.02, -0.01, 0.03])
    start = rng.uniform(0.0, 20.0, size=(15, 3))
    return np.round((start + np.cumsum(steps, axis=0)) * 64) / 64


def correlations(positions, *, frame="laboratory", wrapped=False, symbols=SYMBOLS, temperature_K=1200.0):
    trajectory = trajectory_from_arrays(
        positions,
        CELL,
        list(symbols),
        frame_interval_ps=INTERVAL_PS,
        wrapped=wrapped,
        temperature_K=temperature_K,
    )
    return displacement_correlations(trajectory, frame=frame)


def wrap(positions):
    """The image of every ion inside the triclinic cell."""
    fractional = positions @ np.linalg.inv(CELL)
    return (fractional - np.floor(fractional)) @ CELL


# ------------------------------------------------------------------------------------------------------------ by loops


def test_self_and_collective_curves_are_those_of_two_loops(positions):
    """<dX_i . dX_j> over all origins, written out: one lag, one origin, one pair at a time."""
    few = positions[:40]
    curves = correlations(few)
    totals = [few[:, :6].sum(axis=1), few[:, 6:].sum(axis=1)]
    for lag in (1, 2, 7, 25, 39):
        moved = few[lag:] - few[:-lag]
        alone = [(moved[:, :6] ** 2).sum(axis=-1).mean(), (moved[:, 6:] ** 2).sum(axis=-1).mean()]
        np.testing.assert_allclose(curves.self_part()[:, lag], alone, rtol=1e-10)
        for i in range(2):
            for j in range(2):
                product = [
                    (totals[i][p + lag] - totals[i][p]) @ (totals[j][p + lag] - totals[j][p])
                    for p in range(len(few) - lag)
                ]
                assert curves.collective_part()[i, j, lag] == pytest.approx(np.mean(product), rel=1e-9, abs=1e-8)


# ---------------------------------------------------------------------------------------------------------- MDAnalysis


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrapped", [False, True])
def test_mean_squared_displacements_are_those_of_mdanalysis(positions, wrapped):
    mdanalysis = installed("MDAnalysis")
    msd = installed("MDAnalysis.analysis.msd")
    installed("tidynamics")
    universe = mdanalysis.Universe.empty(len(SYMBOLS), trajectory=False)
    universe.add_TopologyAttr("name", list(SYMBOLS))
    universe.load_new(positions, order="fac", dt=INTERVAL_PS)
    ours = correlations(wrap(positions) if wrapped else positions, wrapped=wrapped)
    for symbol in ("Na", "Cl"):
        theirs = msd.EinsteinMSD(universe, select=f"name {symbol}", fft=True).run().results.timeseries
        found = ours.self_part()[ours.species.index(symbol)]
        np.testing.assert_allclose(found, theirs, rtol=1e-8, atol=1e-8, err_msg=symbol)


# -------------------------------------------------------------------------------------------------------------- kinisi


def kinisi_analyzer(positions, members, *, drift=(), lags=None, cell=CELL):
    """kinisi's analysis of some ions, their drift that of others; given wrapped positions it unwraps them itself."""
    sc = installed("scipp")
    analyze, displacement, parser = (installed(f"kinisi.{part}") for part in ("analyze", "displacement", "parser"))
    parsed = parser.Parser(
        sc.array(dims=["time", "particle", "dimension"], values=positions @ np.linalg.inv(cell)),
        sc.array(
            dims=["time", "dimension1", "dimension2"],
            values=np.broadcast_to(cell, (len(positions), 3, 3)).copy(),
            unit=sc.units.angstrom,
        ),
        time_step=INTERVAL_PS * sc.Unit("ps"),
        step_skip=sc.scalar(1),
        dt=None if lags is None else sc.array(dims=["time interval"], values=np.array(lags) * INTERVAL_PS, unit="ps"),
        specie_indices=sc.array(dims=["particle"], values=np.array(members)),
        drift_indices=sc.array(dims=["particle"], values=np.array(drift, dtype=int)),
    )
    analyzer = analyze.DiffusionAnalyzer(parsed)
    analyzer._dg = displacement.calculate_msd(parsed, progress=False)
    return analyzer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("frame", ["laboratory", "Cl"])
def test_mean_squared_displacements_are_those_of_kinisi(positions, frame):
    """Both unwrap a triclinic cell, and both can take the chlorine ions as what is at rest."""
    installed("kinisi")
    drift = range(6, 15) if frame == "Cl" else ()
    lags = [1, 2, 3, 10, 50, 120]
    theirs = kinisi_analyzer(wrap(positions), range(6), drift=drift, lags=lags).msd.values
    ours = correlations(wrap(positions), frame=frame, wrapped=True)
    np.testing.assert_allclose(ours.self_part()[ours.species.index("Na"), lags], theirs, rtol=1e-8)


@pytest.mark.filterwarnings("ignore")
def test_self_diffusion_and_its_error_agree_with_kinisi():
    """Not the same estimator: theirs samples a posterior with estimated variances. The same answer, the same error."""
    installed("kinisi")
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(scale=0.3, size=(1500, 24, 3)), axis=0)
    true = 0.3**2 / (2 * INTERVAL_PS) * 1e-8  # m²/s
    first, last = 4, 300
    # theirs counts independent stretches by the longest lag it is given: that has to be the length of the walk
    lags = np.unique(np.round(np.geomspace(first, len(walk) - 1, 50)).astype(int))
    theirs = kinisi_analyzer(walk, range(24), lags=lags, cell=1e4 * np.eye(3))
    sc = installed("scipp")
    theirs.diffusion(
        first * INTERVAL_PS * sc.Unit("ps"),
        n_samples=600,
        n_burn=200,
        progress=False,
        random_state=np.random.RandomState(2),
    )
    posterior = theirs.D.values * 1e-4  # cm²/s to m²/s
    curves = correlations(walk, symbols=("Li",) * 24)
    ours = measure_onsager(curves, regime_ps=(first * INTERVAL_PS, last * INTERVAL_PS))
    value, error = ours.D_m2_per_s[0], ours.D_stderr[0]
    assert abs(value - true) < 3 * error
    assert abs(posterior.mean() - true) < 3 * posterior.std()
    assert abs(value - posterior.mean()) < 2 * np.hypot(error, posterior.std())
    assert 0.6 < error / posterior.std() < 1.6
