"""What tests of histories share: comparing two, changing what belongs to the lattice, layers of known bounds."""

from dataclasses import fields, replace

import numpy as np

from tammann.history import DiffusionRecord, History


def assert_same(one, other, *, ignore=("kernel_seconds",)):
    """Both histories hold the same, by default apart from the time the kernel took."""
    pairs = [(one, other)]
    for record in ("lattice", "diffusion"):
        own, its = getattr(one, record), getattr(other, record)
        assert (own is None) == (its is None)
        pairs += [] if own is None else [(own, its)]
    for own, its in pairs:
        for field in fields(own):
            if field.name not in ("lattice", "diffusion", *ignore):
                np.testing.assert_equal(getattr(own, field.name), getattr(its, field.name), err_msg=field.name)


def with_lattice(history, **changes):
    """The same history with another lattice record."""
    return replace(history, lattice=replace(history.lattice, **changes))


def layered_history(bounds_m, phases, *, times_h, geometry="planar", cells=50, heat=None):
    """A run whose one particle holds layers with known bounds; for tests of what is read from it.

    Args:
        bounds_m: Shape (F, L + 1), bounds of the layers in every frame.
        phases: Formula of every layer, length L, of the shipped example.
        times_h: Shape (F,).
        geometry: Or ``sphere``.
        cells: Of the particle.
        heat: Shape (F, P), dissipated by each phase of the example; zero by default.
    """
    example = History.example("reactive-diffusion")
    bounds, frames, P = np.asarray(bounds_m, float), len(times_h), len(example.phases)
    power = 3 if geometry == "sphere" else 1
    edges = np.linspace(bounds[0, 0], bounds[0, -1], cells + 1)
    sites = np.zeros((1, frames, cells, P))
    per_formula = np.array([2.0 + k for k in range(P)])
    for f in range(frames):
        for layer, phase in enumerate(phases):
            inside = np.clip(edges, bounds[f, layer], bounds[f, layer + 1])
            k = example.phases.index(phase)
            sites[0, f, :, k] += np.diff(inside**power) / example.molar_volume_m3[k] * per_formula[k]
    heat = np.zeros((frames, P)) if heat is None else np.asarray(heat, float)
    record = DiffusionRecord(
        gibbs_left_eV_per_atom=heat.sum() - heat.sum(axis=1).cumsum()[None],
        dissipated_eV_per_atom=heat[None],
        without_data_fraction=np.zeros(1),
        steps=np.ones(1, int),
        refused_steps=np.zeros(1, int),
        edges_m=np.broadcast_to(edges, (1, frames, cells + 1)),
        sites=sites.astype(np.float32),
        potential_eV=np.zeros((1, frames, cells, 1), np.float32),
    )
    return replace(
        example,
        programme_h=np.asarray(times_h, float),
        temperature_K=np.full(frames, 1300.0),
        stage=np.zeros(frames, int),
        moles=sites.sum(axis=2) / per_formula,
        gas_moles=np.zeros((1, frames, 0)),
        extent=np.zeros((1, 1, 0)),
        molten=np.zeros((frames, P), bool),
        reactive_fraction=np.zeros(1),
        element_drift=np.zeros(1),
        calibrated=True,
        diffusion=record,
    )
