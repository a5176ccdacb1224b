"""What stands where in a particle or a couple at one time: phases, composition and potential along the radius."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tammann.errors import ResultError
from tammann.notebook import ShownAsTable
from tammann.reactive_diffusion.components import ANION_CHARGE

if TYPE_CHECKING:
    from tammann.history import DiffusionRecord, History


def diffusion_record(history: History) -> DiffusionRecord:
    """Return what reactive diffusion recorded; refuse a run of another engine."""
    if history.diffusion is None:
        raise ResultError("this run has no layers: only a run of the engine reactive-diffusion records them")
    return history.diffusion


def existing_particle(history: History, particle: int) -> int:
    """Return the index of a recorded particle; refuse one that the run did not record."""
    count = len(diffusion_record(history).sites)
    if not count:
        raise ResultError("this run recorded no profiles: a powder on a grid has slices (plot_slices) instead")
    if not 0 <= particle < count:
        raise ResultError(f"particle {particle} is not recorded; this run has particles 0 to {count - 1}")
    return particle


@dataclass(frozen=True, eq=False)
class Profile(ShownAsTable):
    """One frame of one particle (or couple) of the first realization; N cells, P phases, X elements, D directions.

    Cells keep their places: a volume keeps its lattice sites, and what products swell or shrink is not followed.

    Attributes:
        core: Formula of the phase in the innermost cell at the start.
        geometry: ``sphere`` (positions are radii) or ``planar``.
        frame: Index of the frame.
        temperature_K: K.
        edges_m: Edges of the cells, shape (N + 1,), m.
        phases: Formulas, length P.
        volume_fraction: Of every phase in every cell, shape (N, P), dimensionless.
        elements: Those whose share varies, length X.
        element_share: Share of each among all cations, or among all anions, shape (N, X), dimensionless; elements that
            are exchanged with a gas are left out.
        potential_eV: Shape (N, D), eV per lattice site, relative to the innermost cell. With one component it is
            the energy of moving along the line from one end of the mixture to the other; what differs between two
            cells drives the flux between them.
    """

    core: str
    geometry: str
    frame: int
    temperature_K: float
    edges_m: np.ndarray
    phases: tuple[str, ...]
    volume_fraction: np.ndarray
    elements: tuple[str, ...]
    element_share: np.ndarray
    potential_eV: np.ndarray

    def __repr__(self) -> str:
        size = f"{1e9 * (self.edges_m[-1] - self.edges_m[0]):.3g} nm"
        return f"Profile({self.geometry} of {size} around {self.core}, frame {self.frame}, {self.temperature_K:.0f} K)"

    def table(self) -> pd.DataFrame:
        """Return one row a cell.

        Columns ``inner_m`` and ``outer_m`` (m), ``x_`` and the element, ``potential_eV`` (numbered where there are
        several), and the volume fraction of every phase that the particle holds, named by its formula.
        """
        columns = {"inner_m": self.edges_m[:-1], "outer_m": self.edges_m[1:]}
        columns |= {f"x_{e}": x for e, x in zip(self.elements, self.element_share.T, strict=True)}
        several = self.potential_eV.shape[1] > 1
        columns |= {f"potential{f'_{d + 1}' * several}_eV": psi for d, psi in enumerate(self.potential_eV.T)}
        held = np.flatnonzero(self.volume_fraction.max(axis=0) > 0)
        return pd.DataFrame(columns | {self.phases[k]: self.volume_fraction[:, k] for k in held})


def profile(history: History, frame: int = -1, *, particle: int = 0) -> Profile:
    """Return the phases, the composition and the potential along a particle at one time.

    Args:
        history: A run of reactive diffusion; profiles are of its first realization.
        frame: Index of the frame; the last by default (see ``frame_at``).
        particle: Index of the particle; each precursor is the core of some.

    Raises:
        ResultError: The run has no profiles, or no such frame or particle.

    Example:
        >>> from tammann.history import History
        >>> run = History.example("reactive-diffusion")
        >>> middle = profile(run, frame_at(run, temperature_K=1300))
        >>> middle.core, middle.volume_fraction.sum(axis=1).round(6).max()
        ('BaO', np.float64(1.0))
        >>> middle.table().columns[:4].tolist()
        ['inner_m', 'outer_m', 'x_Ba', 'x_Ti']
    """
    record = diffusion_record(history)
    particle = existing_particle(history, particle)
    count = history.stage.size
    if not -count <= frame < count:
        raise ResultError(f"frame {frame} does not exist; this run has frames 0 to {count - 1}")
    frame %= count
    moles = record.sites[particle, frame] / sites_per_formula(history)
    amounts = moles @ history.composition
    elements, share = _shares(history, amounts)
    volume = moles * history.molar_volume_m3
    psi = record.potential_eV[particle, frame].astype(float)
    return Profile(
        core=core_of(history, particle),
        geometry=geometry_of(history, particle),
        frame=frame,
        temperature_K=float(history.temperature_K[frame]),
        edges_m=record.edges_m[particle, frame],
        phases=history.phases,
        volume_fraction=volume / volume.sum(axis=1, keepdims=True),
        elements=elements,
        element_share=share,
        potential_eV=psi - psi[:1],
    )


def frame_at(history: History, time: float | None = None, *, temperature_K: float | None = None) -> int:
    """Return the frame nearest to a time, as ``History.clock`` counts it, or the first nearest to a temperature.

    Raises:
        ResultError: Neither or both are given.

    Example:
        >>> from tammann.history import History
        >>> frame_at(History.example(), 0.0), frame_at(History.example(), temperature_K=300.0)
        (0, 0)
    """
    if (time is None) == (temperature_K is None):
        raise ResultError("give either a time or a temperature_K to say which frame")
    values, wanted = (history.clock[1], time) if temperature_K is None else (history.temperature_K, temperature_K)
    return int(np.abs(values - wanted).argmin())


def sites_per_formula(history: History) -> np.ndarray:
    """Return the lattice sites of a formula unit of every phase, shape (P,); 1 for one that never forms."""
    record, moles = diffusion_record(history), history.moles[0]
    most = moles.argmax(axis=0)
    sites = np.array([record.sites[:, frame, :, k].sum(dtype=float) for k, frame in enumerate(most)])
    amount = moles[most, np.arange(len(most))]
    there = (sites > 0) & (amount > 0)
    return np.where(there, sites / np.where(there, amount, 1.0), 1.0)


def core_of(history: History, particle: int) -> str:
    """Return the formula of the phase in the innermost cell of a particle at the start."""
    return history.phases[int(diffusion_record(history).sites[particle, 0, 0].argmax())]


def geometry_of(history: History, particle: int) -> str:
    """Tell a sphere from a planar couple by how much the cells hold at the start."""
    record = diffusion_record(history)
    edges = record.edges_m[particle, 0]
    held = record.sites[particle, 0] / sites_per_formula(history) @ history.molar_volume_m3
    ratio = [held / np.diff(edges**power) for power in (1, 3)]
    planar, sphere = (float(np.ptp(np.log(values))) for values in ratio)
    return "sphere" if sphere < planar else "planar"


def _shares(history: History, amounts: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the elements whose share varies in the run, and their shares in every cell, (N, X)."""
    from_gas = history.gas_composition.any(axis=0) if len(history.gases) else np.zeros(len(history.elements), bool)
    anion = np.array([element in ANION_CHARGE for element in history.elements])
    names: list[str] = []
    shares: list[np.ndarray] = []
    for group in (~anion & ~from_gas, anion & ~from_gas):
        columns = np.flatnonzero(group)
        if len(columns) < 2:  # the share of an element that is alone is always one
            continue
        total = amounts[:, columns].sum(axis=1)
        for column in columns:
            names.append(history.elements[column])
            shares.append(np.divide(amounts[:, column], total, out=np.zeros_like(total), where=total > 0))
    return tuple(names), np.array(shares).reshape(len(names), len(amounts)).T
