"""The volume of a melt: its packing, two ways to its density, an interrupted search."""

import json

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import estimate_volume_per_atom
from tammann.workflows.melt import (
    load_melts,
    record_replica,
    run_melts,
)
from tammann.workflows.melt import volume as module
from workflows.melt.toys import plan


@pytest.mark.slow
def test_constant_pressure_gives_the_density_of_the_equation_of_state(installed, tmp_path):
    search = {"scale_ps": 3.0, "hold_ps": 20.0, "pressure_tolerance_GPa": 0.3, "energy_tolerance_eV_per_atom": 0.1}
    density = []
    for method in ("equation-of-state", "npt"):
        options = {"atoms": 100, "replicas": 1, "production_ps": 1.0, "volume": {**search, "method": method}}
        made = run_melts(plan(**options), tmp_path / method)
        assert made.states[0].converged
        density.append(json.loads((made.states[0].folder / "melt.json").read_text())["density_g_per_cm3"])
    assert density[0] == pytest.approx(density[1], rel=0.05)


@pytest.mark.parametrize(
    "changes, volume, distance",
    [
        ({}, estimate_volume_per_atom("MgO", temperature_K=4500.0), 0.0),
        ({"minimum_distances_A": {"O-Mg": 2.3}}, 14.0, 2.3),
    ],
)
def test_the_packing_of_a_plan(installed, tmp_path, monkeypatch, changes, volume, distance):
    """The first that an engine gets is packed as asked for."""
    seen = []

    class Engine:
        def relax(self, configuration, potential):
            seen.append(configuration)
            raise DataError("enough seen.")

        run = None

    monkeypatch.setattr(module, "load_engine", lambda name: Engine())
    asked = plan(**changes, **({"volume_per_atom_A3": volume} if changes else {}))
    with pytest.raises(DataError, match="enough"):
        record_replica(asked, tmp_path / "o", formula="MgO", temperature_K=4500.0)
    (packed,) = seen
    assert packed.volume_A3 == pytest.approx(40 * volume)
    mg, o = (packed.positions_A[[s == symbol for s in packed.symbols]] for symbol in ("Mg", "O"))
    apart = mg[:, None] - o
    edge = packed.cell_A[0, 0]
    apart -= edge * np.round(apart / edge)
    assert np.linalg.norm(apart, axis=-1).min() > distance
    assert load_melts(tmp_path / "o").states[0].failed == ("Volume failed: enough seen.",)


@pytest.mark.parametrize("method", ["equation-of-state", "npt"])
def test_a_search_that_was_interrupted_ends_as_an_undisturbed_one(installed, tmp_path, monkeypatch, method):
    search = {"method": method, "scale_ps": 0.4, "hold_ps": 0.6, "attempts": 3, "pressure_tolerance_GPa": 0.001}
    asked = plan(atoms=20, melt_ps=0.2, volume=search | {"energy_tolerance_eV_per_atom": 1e-9})
    folders = [record_replica(asked, tmp_path / "whole", formula="MgO", temperature_K=4500.0)]
    engine = module.load_engine(asked.engine)
    told = []

    class Interrupted:
        relax = staticmethod(engine.relax)
        runs = 0

        def run(self, *arguments, **options):
            self.runs += 1
            if self.runs > 1:
                raise DataError("interrupted.")
            return engine.run(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_engine", lambda name: engines[-1])
        engines = []
        for _ in range(20):
            engines.append(Interrupted())
            try:
                folders.append(record_replica(asked, tmp_path / "pieces", formula="MgO", temperature_K=4500.0))
                break
            except DataError:
                told.append(load_melts(tmp_path / "pieces").states[0].failed)
                assert (tmp_path / "pieces" / "MgO" / "4500K" / "search.npz").exists()
    assert told == [("Volume failed: interrupted.",)] * len(told) and len(told) >= 3
    whole, pieces = folders
    for name in ("volume.json", "structure.extxyz"):
        assert (whole / name).read_text() == (pieces / name).read_text()
    with np.load(whole / "melt.npz") as one, np.load(pieces / "melt.npz") as other:
        assert sorted(one) == sorted(other) and all(np.array_equal(one[name], other[name]) for name in one)
    assert not any((folder / name).exists() for folder in folders for name in ("search.npz", "failed.json"))


@pytest.mark.parametrize("fitted", [False, True])
def test_atoms_of_a_fitted_potential_are_relaxed_after_a_step_in_volume(installed, tmp_path, monkeypatch, fitted):
    search = {"scales": [0.9, 1.0, 1.1], "scale_ps": 0.2, "hold_ps": 0.2, "attempts": 1}
    asked = plan(atoms=20, melt_ps=0.2, replicas=1, production_ps=1.0, volume=search)
    engine, relaxed = module.load_engine(asked.engine), []

    class Noted:
        run, produce = staticmethod(engine.run), staticmethod(engine.produce)

        def relax(self, configuration, potential, *, steps=500):
            if steps == module.RELAX_STEPS:
                relaxed.append(configuration.n_atoms)
            return engine.relax(configuration, potential, steps=steps)

    monkeypatch.setattr(module, "load_engine", lambda name: Noted())
    if fitted:
        monkeypatch.setattr(module, "ModelFile", object)
    state = record_replica(asked, tmp_path / "o", formula="MgO", temperature_K=4500.0)
    points = json.loads((state / "volume.json").read_text())["points"]
    steps = np.abs(np.diff([p["volume_A3"] for p in points]) / [p["volume_A3"] for p in points[:-1]])
    assert len(relaxed) == (1 + int((steps > module.RESCALED).sum()) if fitted else 0)
