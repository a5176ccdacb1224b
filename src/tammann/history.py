"""What a run leaves behind: amounts of every phase against time, temperature and realization, whatever the engine."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from importlib.resources import as_file
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import ResultError, check_argument
from tammann.files import open_regular, whole_file
from tammann.notebook import ShownAsTable
from tammann.systems import data_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Basis = Literal["mole", "mass", "volume"]

BAND = (0.05, 0.95)
"""Quantiles between which a band lies."""
PRESENT = 1e-9
"""Mole fraction below which a phase counts as never there."""


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the median and the two ends of the band over the first axis, each without that axis."""
    low, middle, high = np.quantile(values, (BAND[0], 0.5, BAND[1]), axis=0)
    return middle, low, high


@dataclass(frozen=True, eq=False)
class LatticeRecord:
    """What only an engine that works on a grid of cells can tell.

    ``R`` realizations, ``F`` frames, ``P`` phases, ``S`` snapshots of a grid of ``N`` cells per edge.

    Attributes:
        sweep: Shape (F,), time in sweeps; in one sweep every cell is offered one of its six contacts.
        ledger_moles: Shape (R, F, P), the part of ``History.moles`` that waits in the ledger for a free cell.
        snapshots: Shape (S, D, N, N), uint8, the middle D layers of the first realization (all N where that stays
            below 48 MB): 0 empty, k + 1 is ``History.phases[k]``.
        snapshot_frame: Shape (S,), frame of each snapshot.
        arrested: Shape (R,), True where, at the last temperature, phases that would react with each other were left
            but nowhere in contact, and none of them changed places more than once in a hundred sweeps.
        saturated_fraction: Shape (R,), offers whose bound on the probability was above one, per event: zero unless
            phases appear that the length of the cycles was not chosen for, and then a sign that their rates are capped.
        visits: Shape (R,), visits the kernel made.
        kernel_seconds: Shape (R,), time in the kernel, without compilation, s.
    """

    sweep: np.ndarray
    ledger_moles: np.ndarray
    snapshots: np.ndarray
    snapshot_frame: np.ndarray
    arrested: np.ndarray
    saturated_fraction: np.ndarray
    visits: np.ndarray
    kernel_seconds: np.ndarray


@dataclass(frozen=True, eq=False)
class DiffusionRecord:
    """What only reactive diffusion can tell.

    ``R`` realizations, ``F`` frames, ``P`` phases, ``D`` components that move; of the first realization ``C`` particles
    of ``N`` cells, or ``S`` snapshots of ``L`` layers of a cube of ``M`` voxels per edge. A cube of grains has no
    particles, C = 0; what only a cube tells is None for particles.

    Attributes:
        gibbs_left_eV_per_atom: Shape (R, F), Gibbs energy above equilibrium, eV per atom of the precursors.
        dissipated_eV_per_atom: Shape (R, F, P), energy dissipated by each phase since the frame before.
        without_data_fraction: Shape (R,), share of the dissipation in phases without transport data.
        steps: Shape (R,), steps of all particles.
        refused_steps: Shape (R,), steps that were too long and repeated.
        edges_m: Shape (C, F, N + 1), positions of the edges of the cells, m, from the centre.
        sites: Shape (C, F, N, P), float32, moles of lattice sites in every cell and phase.
        potential_eV: Shape (C, F, N, D), float32, eV per site; of the step before each frame.
        snapshots: Shape (S, L, M, M), uint8, middle layers: k + 1 where ``History.phases[k]`` has most of the volume.
        snapshot_frame: Shape (S,), frame of each snapshot.
        voxel_m: Edge of a voxel, m.
    """

    gibbs_left_eV_per_atom: np.ndarray
    dissipated_eV_per_atom: np.ndarray
    without_data_fraction: np.ndarray
    steps: np.ndarray
    refused_steps: np.ndarray
    edges_m: np.ndarray
    sites: np.ndarray
    potential_eV: np.ndarray
    snapshots: np.ndarray | None = None
    snapshot_frame: np.ndarray | None = None
    voxel_m: float | None = None


@dataclass(frozen=True, eq=False)
class History(ShownAsTable):
    """Amounts of every phase in every recorded frame of every realization of one recipe.

    Amounts are moles of formula units on the scale of the recipe: the precursors' ratios are the moles put in.
    ``R`` realizations, ``F`` frames, ``P`` phases, ``G`` gases, ``E`` elements, ``C`` reaction channels,
    ``B`` steps of the programme.

    Attributes:
        phases: Formulas of the condensed phases.
        elements: Symbols of the elements.
        gases: Names of the gases.
        composition: Shape (P, E), atoms per formula unit.
        gas_composition: Shape (G, E), atoms per molecule.
        molar_volume_m3: Shape (P,), m^3 per mole of formula units.
        molar_mass_kg: Shape (P,), kg per mole of formula units.
        programme_h: Shape (F,), hours of the recipe's programme.
        calibrated: Whether those hours rest on an observation; otherwise they are nominal and ``time_h`` is None.
        temperature_K: Shape (F,), K.
        stage: Shape (F,), index of the programme's step.
        moles: Shape (R, F, P), formula units.
        gas_moles: Shape (R, F, G), net released to the atmosphere.
        extent: Shape (R, B, C), moles of reaction carried by each channel in each step.
        reactants: Shape (C, 2), indices into ``phases``, -1 for none.
        reactant_coefficients: Shape (C, 2), formula units per mole of reaction.
        products: Shape (C, 2), as ``reactants``.
        product_coefficients: Shape (C, 2).
        gas_coefficients: Shape (C, G), > 0 released.
        equations: One per channel.
        fallback: Shape (C,), True where the channel's score is thermodynamic because transport data are missing.
        molten: Shape (F, P), True above the phase's melting point.
        reactive_fraction: Shape (R,), share of the atoms in phases that would still react if they met.
        element_drift: Shape (R,), largest relative change of any element over solids and gas.
        metadata: Version, seed, recipe, energies, transport, kinetics, sources, warnings.
        lattice: What a grid of cells adds, or None for an engine without one.
        diffusion: What reactive diffusion adds, or None for another engine.
    """

    phases: tuple[str, ...]
    elements: tuple[str, ...]
    gases: tuple[str, ...]
    composition: np.ndarray
    gas_composition: np.ndarray
    molar_volume_m3: np.ndarray
    molar_mass_kg: np.ndarray
    programme_h: np.ndarray
    calibrated: bool
    temperature_K: np.ndarray
    stage: np.ndarray
    moles: np.ndarray
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
    reactive_fraction: np.ndarray
    element_drift: np.ndarray
    metadata: dict[str, Any]
    lattice: LatticeRecord | None = None
    diffusion: DiffusionRecord | None = None

    def __repr__(self) -> str:
        frames, phases = self.moles.shape[1:]
        runs = f"{self.realizations} realization{'s' * (self.realizations != 1)}"
        return f"History({runs}, {frames} frames, {phases} phases, {len(self.equations)} channels)"

    @property
    def realizations(self) -> int:
        """Number of realizations."""
        return int(self.moles.shape[0])

    @property
    def time_h(self) -> np.ndarray | None:
        """Hours, shape (F,), or None without a calibration."""
        return self.programme_h if self.calibrated else None

    @property
    def clock(self) -> tuple[str, np.ndarray]:
        """Name and values, shape (F,), of the time to read the run by.

        ``time_h`` with a calibration; without one ``sweep`` on a lattice, else the nominal ``programme_h``.
        """
        if self.calibrated:
            return "time_h", self.programme_h
        return ("programme_h", self.programme_h) if self.lattice is None else ("sweep", self.lattice.sweep)

    def fractions(self, basis: Basis = "mole") -> np.ndarray:
        """Return the fractions of every phase among all condensed phases, shape (R, F, P), dimensionless.

        Args:
            basis: ``mole`` of formula units, ``mass`` or ``volume``.

        Raises:
            ValueError: The basis is none of these.
        """
        weights = {"mole": np.ones(len(self.phases)), "mass": self.molar_mass_kg, "volume": self.molar_volume_m3}
        if basis not in weights:
            raise ValueError(f"basis {basis!r} is not known; choose mole, mass or volume")
        amounts = self.moles * weights[basis]
        return amounts / amounts.sum(axis=2, keepdims=True)

    def frame_columns(self) -> dict[str, np.ndarray]:
        """Return the columns of time and temperature that every table over frames has, each of shape (F,).

        ``time_h`` is NaN without a calibration, ``sweep`` without a lattice.
        """
        unknown = np.full(self.programme_h.shape, np.nan)
        return {
            "time_h": unknown if self.time_h is None else self.time_h,
            "sweep": unknown if self.lattice is None else self.lattice.sweep,
            "programme_h": self.programme_h,
            "temperature_K": self.temperature_K,
        }

    def phase_fractions(self) -> pd.DataFrame:
        """Return mole, mass and volume fractions of every phase against time and temperature, as a tidy table.

        x_p = n_p / sum_q n_q over the condensed phases q, melt and the solids of the ledger included, gas excluded;
        n in moles of formula units (``moles``). Mass and volume fractions weight n with ``molar_mass_kg`` and
        ``molar_volume_m3``. The fractions of one realization add up to one; their medians, which this table holds,
        are taken phase by phase and therefore do not quite.

        Returns:
            One row per frame and phase, frames in order, phases in the order of ``phases``; phases that never exceed
            a mole fraction of 1e-9 in any realization are left out. Columns: ``time_h`` (h, NaN without a
            calibration), ``sweep`` (NaN without a lattice), ``programme_h`` (hours of the programme, nominal or not),
            ``temperature_K`` (K), ``phase``, ``mole_fraction`` (median), ``mole_fraction_low`` and
            ``mole_fraction_high`` (5th and 95th percentile; equal to the median for one realization),
            ``mass_fraction`` and ``volume_fraction`` (medians).

        Example:
            >>> from tammann.history import History
            >>> table = History.example().phase_fractions()
            >>> table[table.phase == "BaTiO3"].mole_fraction.round(2).iloc[[0, -1]].tolist()
            [0.0, 0.86]
        """
        import pandas as pd

        mole = self.fractions("mole")
        kept = np.flatnonzero((mole > PRESENT).any(axis=(0, 1)))
        columns = {name: np.repeat(column, kept.size) for name, column in self.frame_columns().items()}
        columns["phase"] = np.tile(np.array([self.phases[k] for k in kept], dtype=object), self.temperature_K.size)
        bands = band(mole[:, :, kept])
        columns |= zip(("mole_fraction", "mole_fraction_low", "mole_fraction_high"), map(np.ravel, bands), strict=True)
        for basis in ("mass", "volume"):
            columns[f"{basis}_fraction"] = np.median(self.fractions(basis)[:, :, kept], axis=0).ravel()
        return pd.DataFrame(columns)

    def table(self, basis: Basis = "mole") -> pd.DataFrame:
        """Return the fractions at the end, largest first: columns ``phase``, ``median``, ``low``, ``high``.

        Args:
            basis: Mole fraction of formula units, mass or volume fraction, as in ``fractions``.

        Example:
            >>> from tammann.history import History
            >>> History.example().table().phase.tolist()
            ['BaTiO3', 'Ba2TiO4', 'BaTi2O5', 'TiO2', 'BaO']
        """
        import pandas as pd

        kept = np.flatnonzero((self.fractions("mole") > PRESENT).any(axis=(0, 1)))
        middle, low, high = band(self.fractions(basis)[:, -1][:, kept])
        names = [self.phases[k] for k in kept]
        table = pd.DataFrame({"phase": names, "median": middle, "low": low, "high": high})
        return table.sort_values("median", ascending=False, kind="stable", ignore_index=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mole fractions against time, as ``tammann.plot.plot_phase_fractions`` does."""
        axes: Axes = import_module("tammann.plot").plot_phase_fractions(self, ax=ax)  # by name: it stands above
        return axes

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history to one file (a numpy archive with the texts as JSON), whole or not at all."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in _RECORDS:
            record = values.pop(name)
            if record is not None:
                values |= {f"{name}.{field.name}": getattr(record, field.name) for field in fields(record)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        texts = {name: value for name, value in values.items() if name not in arrays}
        with whole_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, texts=np.array(json.dumps(texts, sort_keys=True)), **arrays)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> History:
        """Read a history that ``save`` wrote.

        Raises:
            ResultError: The file is missing, cut off or not a history.
        """
        check_argument("history", path, (str, os.PathLike), "the name of a file", error=ResultError)
        try:
            with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
                values: dict[str, Any] = {name: archive[name] for name in archive.files if name != "texts"}
                values |= json.loads(str(archive["texts"]))
        except FileNotFoundError:
            raise ResultError(f"{path} does not exist; name the history.npz that a run wrote") from None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            reason = f" ({error.strerror})" if isinstance(error, OSError) else ""
            raise ResultError(f"{path} is not a whole history{reason}; run the recipe again") from None
        records: dict[str, Any] = {}
        whole = True
        for record, kind in _RECORDS.items():
            own = {name: values.pop(name) for name in [*values] if name.startswith(f"{record}.")}
            own = {name.removeprefix(f"{record}."): value for name, value in own.items()}
            added = {field.name for field in fields(kind) if field.default is None}
            whole &= set(own) | added in (added, {field.name for field in fields(kind)})
            records[record] = kind(**own) if whole and own else None
        if not whole or set(values) != {field.name for field in fields(cls)} - set(_RECORDS):
            raise ResultError(f"{path} was written by another version of tammann; run the recipe again")
        for name in ("phases", "elements", "gases", "equations"):
            values[name] = tuple(values[name])
        return cls(**values, **records)

    @classmethod
    def example(cls, engine: Literal["automaton", "reactive-diffusion"] = "automaton") -> History:
        """Return a run of BaO + TiO2 that ships, to try analysis and figures on; its numbers mean nothing.

        Args:
            engine: That of the run: the one of the automaton is invented, the other has invented conductivities.

        Raises:
            ResultError: There is no example of such an engine.

        Example:
            >>> from tammann.history import History
            >>> History.example("reactive-diffusion")
            History(3 realizations, 93 frames, 11 phases, 0 channels)
        """
        names = {"automaton": "example-history.npz", "reactive-diffusion": "example-diffusion.npz"}
        if engine not in names:
            raise ResultError(f"there is no example of the engine {engine!r}; choose one of {', '.join(names)}")
        with as_file(data_file(names[engine])) as path:
            return cls.open(path)

    @classmethod
    def join(cls, histories: Sequence[History]) -> History:
        """Put realizations of one recipe together, in the order given; channels are matched by their equations.

        Phases and channels may differ between members of an ensemble (a drawn energy set may let a phase react
        that another does not); the result has the union of both, in order of first appearance.

        Raises:
            ValueError: There is none, or they do not share their frames or their engine.
        """
        for history in histories if isinstance(histories, list | tuple) else [histories]:
            check_argument("histories", history, "History", "a list of History", error=ResultError)
        if not histories:
            raise ValueError("there is no history to join; give at least one")
        first = histories[0]
        if any(not np.array_equal(h.programme_h, first.programme_h) for h in histories):
            raise ValueError("these histories have different frames; join realizations of one recipe only")
        kinds = {name: [getattr(h, name) for h in histories if getattr(h, name) is not None] for name in _RECORDS}
        if any(len(records) not in (0, len(histories)) for records in kinds.values()):
            raise ValueError("these histories come from different engines; join realizations of one recipe only")
        unions: dict[str, Any] = {
            axis: tuple(dict.fromkeys(chain.from_iterable(getattr(h, axis) for h in histories)))
            for axis in ("phases", "elements", "gases", "equations")
        }
        numbers = {axis: {label: k for k, label in enumerate(union)} for axis, union in unions.items()}
        ends = np.cumsum([h.realizations for h in histories])
        lengths = {"realizations": int(ends[-1]), **{axis: len(union) for axis, union in unions.items()}}
        places = [
            {
                axis: np.array([number[label] for label in getattr(h, axis)], dtype=int)
                for axis, number in numbers.items()
            }
            | {"realizations": np.arange(end - h.realizations, end)}
            for h, end in zip(histories, ends, strict=True)
        ]
        merged: dict[str, Any] = {}
        for name, axes in _AXES.items():
            parts = [getattr(h, name) for h in histories]
            if name in ("reactants", "products"):
                pairs = zip(parts, places, strict=True)
                parts = [np.where(own >= 0, place["phases"][own], -1) for own, place in pairs]
            merged[name] = _merge(parts, axes, lengths, places)
        for kind, records in kinds.items():
            if records:
                parts_of = {name: [getattr(record, name) for record in records] for name in _RECORD_AXES[kind]}
                joined = {
                    name: _merge(parts, _RECORD_AXES[kind][name], lengths, places) for name, parts in parts_of.items()
                }
                if kind == "diffusion":
                    joined["sites"] = _merge([records[0].sites], ("", "", "", "phases"), lengths, places[:1])
                merged[kind] = replace(records[0], **joined)
        return replace(first, **unions, **merged)


_AXES = {
    "composition": ("phases", "elements"),
    "gas_composition": ("gases", "elements"),
    "molar_volume_m3": ("phases",),
    "molar_mass_kg": ("phases",),
    "molten": ("", "phases"),
    "reactants": ("equations", ""),
    "products": ("equations", ""),
    "reactant_coefficients": ("equations", ""),
    "product_coefficients": ("equations", ""),
    "gas_coefficients": ("equations", "gases"),
    "fallback": ("equations",),
    "moles": ("realizations", "", "phases"),
    "gas_moles": ("realizations", "", "gases"),
    "extent": ("realizations", "", "equations"),
    "reactive_fraction": ("realizations",),
    "element_drift": ("realizations",),
}
"""What the axes of the arrays of a ``History`` run over, where its members may differ."""
_RECORDS: dict[str, Any] = {"lattice": LatticeRecord, "diffusion": DiffusionRecord}
_RECORD_AXES: dict[str, dict[str, tuple[str, ...]]] = {
    "lattice": {
        "ledger_moles": ("realizations", "", "phases"),
        **dict.fromkeys(("arrested", "saturated_fraction", "visits", "kernel_seconds"), ("realizations",)),
    },
    "diffusion": {
        "gibbs_left_eV_per_atom": ("realizations", ""),
        "dissipated_eV_per_atom": ("realizations", "", "phases"),
        **dict.fromkeys(("without_data_fraction", "steps", "refused_steps"), ("realizations",)),
    },
}
"""The same for the records of an engine; snapshots and profiles are those of the first realization."""


def _merge(
    parts: Sequence[np.ndarray],
    axes: Sequence[str],
    lengths: Mapping[str, int],
    places: Sequence[Mapping[str, np.ndarray]],
) -> np.ndarray:
    """Write each part to its places in one array; a later one replaces an earlier one, and flags once set stay set."""
    shape = [lengths.get(axis, size) for axis, size in zip(axes, parts[0].shape, strict=True)]
    union = np.zeros(shape, dtype=parts[0].dtype)
    for part, place in zip(parts, places, strict=True):
        where = np.ix_(*(place.get(axis, np.arange(size)) for axis, size in zip(axes, part.shape, strict=True)))
        union[where] = union[where] | part if part.dtype == bool else part
    return union
