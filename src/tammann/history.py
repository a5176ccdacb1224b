"""What a furnace run leaves behind: amounts of every phase against time, temperature and realization."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import ResultError
from tammann.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]

Basis = Literal["mole", "mass", "volume"]


@dataclass(frozen=True, eq=False)
class History:
    """Amounts of every phase in every recorded frame of every realization of one recipe.

    Amounts are moles of formula units on the scale of the recipe: the precursors' ratios are the moles put in.
    ``R`` realizations, ``F`` frames, ``P`` phases, ``G`` gases, ``E`` elements, ``C`` reaction channels,
    ``B`` steps of the programme, ``S`` snapshots of a grid of ``N`` cells per edge.

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
        snapshots: shape (S, D, N, N), uint8, the middle D layers of the first realization (all N where that stays
            below 48 MB): 0 empty, k + 1 is ``phases[k]``.
        snapshot_frame: shape (S,), frame of each snapshot.
        arrested: shape (R,), True where, at the last temperature, phases that would react with each other were there
            but nowhere in contact, and none of them changed places more than once in a hundred sweeps.
        reactive_fraction: shape (R,), share of the atoms in phases that would still react if they met.
        saturated_fraction: shape (R,), offers whose bound on the probability was above one, per event: zero unless
            phases appear that the length of the cycles was not chosen for, and then a sign that their rates are capped.
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
    reactive_fraction: np.ndarray
    saturated_fraction: np.ndarray
    element_drift: np.ndarray
    visits: np.ndarray
    kernel_seconds: np.ndarray
    metadata: dict[str, Any]

    def __repr__(self) -> str:
        """One line: the arrays would flood a notebook."""
        frames, phases = self.moles.shape[1:]
        counts = f"{self.realizations} realizations, {frames} frames, {phases} phases, {len(self.equations)} channels"
        return f"History({counts})"

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
        with whole_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> History:
        """Read a history that ``save`` wrote.

        Raises:
            ResultError: if the file is missing, cut off or not a history.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                values: dict[str, Any] = {name: archive[name] for name in archive.files if name != "texts"}
                values |= json.loads(str(archive["texts"]))
        except FileNotFoundError:
            raise ResultError(f"{path} does not exist; name the history.npz that a run wrote") from None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
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
        phases = tuple(dict.fromkeys(name for h in histories for name in h.phases))
        gases = tuple(dict.fromkeys(name for h in histories for name in h.gases))
        equations = tuple(dict.fromkeys(text for h in histories for text in h.equations))
        elements = tuple(dict.fromkeys(symbol for h in histories for symbol in h.elements))
        # Where each history's phases, gases and channels stand in the union.
        to_phase = [np.array([phases.index(name) for name in h.phases]) for h in histories]
        to_gas = [np.array([gases.index(name) for name in h.gases], dtype=int) for h in histories]
        number = {text: c for c, text in enumerate(equations)}
        to_channel = [np.array([number[text] for text in h.equations], dtype=int) for h in histories]

        def rows(name: str, where: list[np.ndarray], length: int) -> np.ndarray:
            first_rows = getattr(first, name)
            union = np.zeros((length, *first_rows.shape[1:]), dtype=first_rows.dtype)
            for h, place in zip(histories, where, strict=True):
                union[place] = getattr(h, name)
            return union

        def atoms(name: str, where: list[np.ndarray], length: int) -> np.ndarray:
            union = np.zeros((length, len(elements)))
            for h, place in zip(histories, where, strict=True):
                own = np.array([elements.index(symbol) for symbol in h.elements])
                union[place[:, None], own] = getattr(h, name)
            return union

        def columns(name: str, where: list[np.ndarray], length: int) -> np.ndarray:
            parts = []
            for h, place in zip(histories, where, strict=True):
                own = getattr(h, name)
                part = np.zeros((*own.shape[:-1], length), dtype=own.dtype)
                part[..., place] = own
                parts.append(part)
            return np.concatenate(parts)

        reactants = np.full((len(equations), 2), -1)
        products = np.full((len(equations), 2), -1)
        gas_coefficients = np.zeros((len(equations), len(gases)))
        fallback = np.zeros(len(equations), dtype=bool)
        molten = np.zeros((first.sweep.size, len(phases)), dtype=bool)
        for h, phase, gas, channel in zip(histories, to_phase, to_gas, to_channel, strict=True):
            reactants[channel] = np.where(h.reactants >= 0, phase[h.reactants], -1)
            products[channel] = np.where(h.products >= 0, phase[h.products], -1)
            gas_coefficients[channel[:, None], gas] = h.gas_coefficients
            fallback[channel] |= h.fallback
            molten[:, phase] = h.molten
        return replace(
            first,
            phases=phases,
            gases=gases,
            equations=equations,
            elements=elements,
            composition=atoms("composition", to_phase, len(phases)),
            molar_volume_m3=rows("molar_volume_m3", to_phase, len(phases)),
            molar_mass_kg=rows("molar_mass_kg", to_phase, len(phases)),
            gas_composition=atoms("gas_composition", to_gas, len(gases)),
            reactants=reactants,
            products=products,
            reactant_coefficients=rows("reactant_coefficients", to_channel, len(equations)),
            product_coefficients=rows("product_coefficients", to_channel, len(equations)),
            gas_coefficients=gas_coefficients,
            fallback=fallback,
            molten=molten,
            moles=columns("moles", to_phase, len(phases)),
            ledger_moles=columns("ledger_moles", to_phase, len(phases)),
            gas_moles=columns("gas_moles", to_gas, len(gases)),
            extent=columns("extent", to_channel, len(equations)),
            arrested=np.concatenate([h.arrested for h in histories]),
            reactive_fraction=np.concatenate([h.reactive_fraction for h in histories]),
            saturated_fraction=np.concatenate([h.saturated_fraction for h in histories]),
            element_drift=np.concatenate([h.element_drift for h in histories]),
            visits=np.concatenate([h.visits for h in histories]),
            kernel_seconds=np.concatenate([h.kernel_seconds for h in histories]),
        )
