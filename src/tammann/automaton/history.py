"""What a furnace run leaves behind: amounts of every phase against time, temperature and realization."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]

Basis = Literal["mole", "mass", "volume"]


@dataclass(frozen=True, eq=False)
class History:
    """Amounts of every phase in every recorded frame of every realization of one recipe.

    Amounts are moles of formula units on the scale of the recipe: the precursors' ratios are the moles put in.
    ``R`` realizations, ``F`` frames, ``P`` phases, ``G`` gases, ``E`` elements, ``C`` reaction channels,
    ``B`` steps of the programme, ``S`` snapshots of an ``N`` x ``N`` x ``N`` grid.

    Attributes:
        phases: names of the condensed phases, as formulas.
        elements: symbols of the elements.
        gases: names of the gases.
        composition: shape (P, E), atoms per formula unit.
        gas_composition: shape (G, E), atoms per molecule.
        molar_volume_m3: shape (P,), m^3 per mole of formula units.
        molar_mass_kg: shape (P,), kg per mole of formula units.
        sweep: shape (F,), time in sweeps; in one sweep every cell is offered one of its six contacts.
        temperature_K: shape (F,), K.
        stage: shape (F,), index of the programme's step.
        time_h: shape (F,), hours, or None where no calibration was given.
        moles: shape (R, F, P), formula units on the grid and in the ledger.
        ledger_moles: shape (R, F, P), the part of ``moles`` that waits in the ledger for a place on the grid.
        gas_moles: shape (R, F, G), net released to the atmosphere.
        extent: shape (R, B, C), moles of reaction carried by each channel in each step.
        reactants: shape (C, 2), indices into ``phases``, -1 for none.
        reactant_coefficients: shape (C, 2), formula units per mole of reaction.
        products: shape (C, 2), as ``reactants``.
        product_coefficients: shape (C, 2).
        gas_coefficients: shape (C, G), > 0 released.
        equations: one a channel.
        fallback: shape (C,), True where the channel's score is thermodynamic for want of transport data.
        molten: shape (F, P), True above the phase's melting point.
        snapshots: shape (S, N, N, N), uint8, of the first realization: 0 empty, k + 1 is ``phases[k]``.
        snapshot_frame: shape (S,), frame of each snapshot.
        arrested: shape (R,), True where no reactive contact was left though reactive phases were.
        unreacted_fraction: shape (R,), share of the atoms in phases that would still react if they met.
        saturated_fraction: shape (R,), share of reaction events that were offered at a probability above one.
        element_drift: shape (R,), largest relative change of any element over grid, ledger and gas.
        visits: shape (R,), visits the kernel made.
        kernel_seconds: shape (R,), time in the kernel, compilation left out.
        metadata: version, seed, recipe, energies, transport, kinetics, sources, warnings.
    """

    phases: tuple[str, ...]
    elements: tuple[str, ...]
    gases: tuple[str, ...]
    composition: np.ndarray
    gas_composition: np.ndarray
    molar_volume_m3: np.ndarray
    molar_mass_kg: np.ndarray
    sweep: np.ndarray
    temperature_K: np.ndarray
    stage: np.ndarray
    time_h: np.ndarray | None
    moles: np.ndarray
    ledger_moles: np.ndarray
    gas_moles: np.ndarray
    extent: np.ndarray
    reactants: np.ndarray
    reactant_coefficients: np.ndarray
    products: np.ndarray
    product_coefficients: np.ndarray
    gas_coefficients: np.ndarray
    equations: tuple[str, ...]
    fallback: np.ndarray
    molten: np.ndarray
    snapshots: np.ndarray
    snapshot_frame: np.ndarray
    arrested: np.ndarray
    unreacted_fraction: np.ndarray
    saturated_fraction: np.ndarray
    element_drift: np.ndarray
    visits: np.ndarray
    kernel_seconds: np.ndarray
    metadata: dict[str, Any]

    @property
    def realizations(self) -> int:
        """Number of realizations."""
        return int(self.moles.shape[0])

    def fractions(self, basis: Basis = "mole") -> np.ndarray:
        """Fractions of every phase among all condensed phases, shape (R, F, P), dimensionless.

        Args:
            basis: ``mole`` of formula units, ``mass`` or ``volume``.

        Raises:
            ValueError: if the basis is none of these.
        """
        weights = {"mole": np.ones(len(self.phases)), "mass": self.molar_mass_kg, "volume": self.molar_volume_m3}
        if basis not in weights:
            raise ValueError(f"basis {basis!r} is not known; choose mole, mass or volume")
        amounts = self.moles * weights[basis]
        return amounts / amounts.sum(axis=2, keepdims=True)

    def phase_fractions(self) -> pd.DataFrame:
        """Phase fractions against time and temperature as a tidy table with bands (see ``analysis``)."""
        from tammann.analysis import phase_fractions

        return phase_fractions(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history to one file (a numpy archive; the texts are JSON inside it), whole or not at all."""
        arrays: dict[str, np.ndarray] = {}
        texts: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                arrays[field.name] = value
            else:
                texts[field.name] = value
        arrays["texts"] = np.array(json.dumps(texts, sort_keys=True))
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        with open(partial, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(partial, path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> History:
        """Read a history that ``save`` wrote.

        Raises:
            ResultError: if the file is missing, cut off or not a history.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                values: dict[str, Any] = {name: archive[name] for name in archive.files if name != "texts"}
                values |= json.loads(str(archive["texts"]))
        except FileNotFoundError:
            raise ResultError(f"{path} does not exist; name the history.npz that a run wrote") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ResultError(f"{path} is not a whole history ({error}); run the recipe again") from None
        if set(values) != {field.name for field in fields(cls)}:
            raise ResultError(f"{path} was written by another version of tammann; run the recipe again")
        for name in ("phases", "elements", "gases", "equations"):
            values[name] = tuple(values[name])
        return cls(**values)

    @classmethod
    def join(cls, histories: Sequence[History]) -> History:
        """Put realizations of one recipe together, in the order given; channels are matched by their equations.

        Phases and channels may differ between members of an ensemble (a drawn energy set may let a phase react
        that another does not); the result has the union of both, in order of first appearance.

        Raises:
            ValueError: if there is none, or if they do not share their frames.
        """
        if not histories:
            raise ValueError("there is no history to join; give at least one")
        first = histories[0]
        if any(h.sweep.shape != first.sweep.shape or not np.array_equal(h.sweep, first.sweep) for h in histories):
            raise ValueError("these histories have different frames; join realizations of one recipe only")
        phases = list(dict.fromkeys(name for h in histories for name in h.phases))
        gases = list(dict.fromkeys(name for h in histories for name in h.gases))
        equations = list(dict.fromkeys(text for h in histories for text in h.equations))
        n_phases, n_gases, n_channels = len(phases), len(gases), len(equations)
        n_elements, n_frames = len(first.elements), first.sweep.size
        composition = np.zeros((n_phases, n_elements))
        gas_composition = np.zeros((n_gases, n_elements))
        volume, mass = np.zeros(n_phases), np.zeros(n_phases)
        molten = np.zeros((n_frames, n_phases), dtype=bool)
        reactants, products = np.full((n_channels, 2), -1), np.full((n_channels, 2), -1)
        reactant_coefficients, product_coefficients = np.zeros((n_channels, 2)), np.zeros((n_channels, 2))
        gas_coefficients = np.zeros((n_channels, n_gases))
        fallback = np.zeros(n_channels, dtype=bool)
        moles, ledger, gas, extent = [], [], [], []
        for h in histories:
            to_phase = np.array([phases.index(name) for name in h.phases])
            to_gas = np.array([gases.index(name) for name in h.gases], dtype=int)
            to_channel = np.array([equations.index(text) for text in h.equations], dtype=int)
            composition[to_phase], volume[to_phase], mass[to_phase] = (
                h.composition,
                h.molar_volume_m3,
                h.molar_mass_kg,
            )
            gas_composition[to_gas] = h.gas_composition
            molten[:, to_phase] = h.molten
            for codes, own in ((reactants, h.reactants), (products, h.products)):
                codes[to_channel] = np.where(own >= 0, to_phase[own], -1)
            reactant_coefficients[to_channel] = h.reactant_coefficients
            product_coefficients[to_channel] = h.product_coefficients
            gas_coefficients[to_channel[:, None], to_gas] = h.gas_coefficients
            fallback[to_channel] |= h.fallback
            for parts, own, where, width in (
                (moles, h.moles, to_phase, n_phases),
                (ledger, h.ledger_moles, to_phase, n_phases),
                (gas, h.gas_moles, to_gas, n_gases),
                (extent, h.extent, to_channel, n_channels),
            ):
                wide = np.zeros((*own.shape[:2], width))
                wide[:, :, where] = own
                parts.append(wide)
        per_realization = {
            name: np.concatenate([getattr(h, name) for h in histories])
            for name in (
                "arrested",
                "unreacted_fraction",
                "saturated_fraction",
                "element_drift",
                "visits",
                "kernel_seconds",
            )
        }
        codes = np.array([0, *(phases.index(name) + 1 for name in first.phases)], dtype=np.uint8)
        return replace(
            first,
            phases=tuple(phases),
            gases=tuple(gases),
            equations=tuple(equations),
            composition=composition,
            gas_composition=gas_composition,
            molar_volume_m3=volume,
            molar_mass_kg=mass,
            molten=molten,
            reactants=reactants,
            products=products,
            reactant_coefficients=reactant_coefficients,
            product_coefficients=product_coefficients,
            gas_coefficients=gas_coefficients,
            fallback=fallback,
            moles=np.concatenate(moles),
            ledger_moles=np.concatenate(ledger),
            gas_moles=np.concatenate(gas),
            extent=np.concatenate(extent),
            snapshots=codes[first.snapshots],
            **per_realization,
        )
