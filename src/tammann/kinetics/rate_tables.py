"""The table of rates: plain arrays that an engine can run without knowing any chemistry, in one readable file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import RecipeError, ResultError
from tammann.files import json_safe, read_json, write_text
from tammann.notebook import html_table

if TYPE_CHECKING:
    import pandas as pd

MOST_PHASES = 254
"""Condensed phases that a cell can be told to hold: a byte, with one value for an empty cell and one spare."""

_FORMAT = "tammann rate table 1"


@dataclass(frozen=True, eq=False, repr=False)
class RateTable:
    """Which contacts react to what, and how fast, against temperature.

    P condensed phases, E elements, G gases, C channels, nT temperatures. A channel consumes one or two phases, and
    perhaps gas, and makes one or two; -1 in ``reactants`` or ``products`` means none.

    Attributes:
        phases: Formulas of the phases that can take part, length P.
        elements: Symbols, length E.
        composition: Atoms per formula unit, shape (P, E).
        molar_volume_m3: Per mole of formula units, shape (P,).
        molar_mass_kg: Per mole of formula units, shape (P,).
        melting_point_K: Shape (P,).
        gases: Formulas, length G.
        gas_composition: Atoms per molecule, shape (G, E).
        temperature_K: Ascending, shape (nT,).
        reactants: Indices into ``phases``, shape (C, 2), int16.
        reactant_coefficients: Formula units, shape (C, 2), 0 where there is no phase.
        products: As ``reactants``, shape (C, 2).
        product_coefficients: Shape (C, 2).
        gas_coefficients: Molecules released (positive) or absorbed (negative), shape (C, G).
        score: S, dimensionless rate, 0 or more, shape (nT, C), of which the channels of a contact have shares (see
            ``contact_area`` of ``KineticsOptions``). In one sweep every cell is offered, on average, one of
            its six contacts, so that each contact is offered from both sides 1/3 of a time: a contact of two full cells
            reacts S/3 times a sweep.
        dG_eV_per_atom: Gibbs energy of the reaction, shape (nT, C).
        growth_constant_m2_per_s: K_D, shape (nT, C), NaN where there is none.
        fallback: Whether the thermodynamic score stood in for missing transport data, shape (C,).
        equations: The reactions as text, length C.
        exchange: Changes of place of a cell with a neighbour per sweep, shape (nT, P), 0 to 1.
        metadata: Options, sources, the scale s, and what the two properties below return.
        warnings: Sentences on data and method; those that change the answer come first.

    Example:
        >>> from tammann.kinetics import rate_table
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.recipe import Recipe
        >>> from tammann.thermo import load_phases
        >>> from tammann.transport import load_transport
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> rates = rate_table(enumerate_reactions(load_phases("Ba-Ti-O")), load_transport("karan-2026"), recipe)
        >>> rates
        RateTable(183 reactions of 11 phases, 300 to 1500 K)
        >>> rates.table().equation[0]
        'BaO + BaTi2O5 -> 2 BaTiO3'
    """

    phases: tuple[str, ...]
    elements: tuple[str, ...]
    composition: np.ndarray = field(metadata={"shape": "PE"})
    molar_volume_m3: np.ndarray = field(metadata={"shape": "P"})
    molar_mass_kg: np.ndarray = field(metadata={"shape": "P"})
    melting_point_K: np.ndarray = field(metadata={"shape": "P"})
    gases: tuple[str, ...]
    gas_composition: np.ndarray = field(metadata={"shape": "GE"})
    temperature_K: np.ndarray = field(metadata={"shape": "T"})
    reactants: np.ndarray = field(metadata={"shape": "C2"})
    reactant_coefficients: np.ndarray = field(metadata={"shape": "C2"})
    products: np.ndarray = field(metadata={"shape": "C2"})
    product_coefficients: np.ndarray = field(metadata={"shape": "C2"})
    gas_coefficients: np.ndarray = field(metadata={"shape": "CG"})
    score: np.ndarray = field(metadata={"shape": "TC"})
    dG_eV_per_atom: np.ndarray = field(metadata={"shape": "TC"})
    growth_constant_m2_per_s: np.ndarray = field(metadata={"shape": "TC"})
    fallback: np.ndarray = field(metadata={"shape": "C"})
    equations: tuple[str, ...]
    exchange: np.ndarray = field(metadata={"shape": "TP"})
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        P, E, G, C, T = (len(x) for x in (self.phases, self.elements, self.gases, self.equations, self.temperature_K))
        sizes = {"P": P, "E": E, "G": G, "C": C, "T": T, "2": 2}
        kinds: dict[str, Any] = {"reactants": np.int16, "products": np.int16, "fallback": bool}
        if P > MOST_PHASES:
            raise RecipeError(
                f"rate table: it has {P} condensed phases, expected at most {MOST_PHASES}; leave some out."
            )
        for name, letters in _SHAPES.items():
            shape = tuple(sizes[letter] for letter in letters)
            array = np.array(getattr(self, name), dtype=kinds.get(name, np.float64))
            if array.size == 0 and 0 in shape:
                array = array.reshape(shape)
            if array.shape != shape:
                raise ResultError(
                    f"rate table: {name} has shape {array.shape}, expected {shape}; write the table again."
                )
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if T == 0 or not (np.diff(self.temperature_K) > 0).all():
            raise ResultError("rate table: temperature_K does not ascend; write the table again.")
        if not ((self.score >= 0).all() and np.isfinite(self.score).all()):
            raise ResultError("rate table: score has a value that is negative or not finite; write the table again.")
        for name in ("reactants", "products"):
            if C and (getattr(self, name).max() >= P or getattr(self, name)[:, 0].min() < 0):
                raise ResultError(f"rate table: {name} points to a phase that is not listed; write the table again.")

    def __repr__(self) -> str:
        gases = f" and {', '.join(self.gases)}" if self.gases else ""
        return (
            f"RateTable({len(self.equations)} reactions of {len(self.phases)} phases{gases}, "
            f"{self.temperature_K[0]:g} to {self.temperature_K[-1]:g} K)"
        )

    def _repr_html_(self) -> str:
        return html_table(f"{self!r} at {self.temperature_K[-1]:g} K", self.table())

    def table(self, temperature_K: float | None = None) -> pd.DataFrame:
        """Return the reactions at one temperature, the fastest first.

        Args:
            temperature_K: The nearest tabulated temperature is taken; the highest if None.

        Returns:
            Columns equation, score, dG_eV_per_atom, growth_constant_m2_per_s (NaN where there is none) and fallback.
        """
        import pandas as pd

        t = -1 if temperature_K is None else int(np.abs(self.temperature_K - temperature_K).argmin())
        columns = {"equation": self.equations, "fallback": self.fallback}
        columns |= {name: getattr(self, name)[t] for name in _AGAINST_TEMPERATURE}
        frame = pd.DataFrame(columns)[["equation", *_AGAINST_TEMPERATURE, "fallback"]]
        return frame.sort_values("score", ascending=False, kind="stable", ignore_index=True)

    @property
    def nothing_opens(self) -> str | None:
        """The sentence that says why no reaction of the precursors can happen; None where some can."""
        return self.metadata.get("nothing_opens")

    @property
    def important_warnings(self) -> tuple[str, ...]:
        """The first of ``warnings``: those that change the answer."""
        return tuple(self.metadata.get("important_warnings", ()))

    def save(self, path: str | Path) -> None:
        """Write the table as one JSON file, a channel a line.

        The file appears whole or not at all.

        Raises:
            OSError: The file cannot be written.
        """
        channel_keys = [f.name for f in fields(self) if f.name in _BY_CHANNEL]
        head = {"format": _FORMAT}
        head |= {f.name: json_safe(getattr(self, f.name)) for f in fields(self) if f.name not in _BY_CHANNEL}
        lines = []
        for c in range(len(self.equations)):
            channel = {key: json_safe(self._of_channel(key, c)) for key in channel_keys}
            lines.append(json.dumps(channel, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
        top = ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
            for key, value in head.items()
        )
        body = ",\n    ".join(lines)
        write_text(path, f'{{\n{top},\n  "channels": [\n    {body}\n  ]\n}}\n')

    @classmethod
    def open(cls, path: str | Path) -> RateTable:
        """Read a table that ``save`` wrote.

        Raises:
            ResultError: The file is missing, truncated or something else.
        """
        data = read_json(path, error=ResultError, what="rate table")
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise ResultError(f"rate table: {path} is not a {_FORMAT!r} file; name a file that save wrote.")
        try:
            channels = data.pop("channels")
            data.pop("format")
            for key in _BY_CHANNEL:
                column = [channel[key] for channel in channels]
                if key == "equations":
                    data[key] = column
                elif key in _AGAINST_TEMPERATURE:
                    array = np.array(column, dtype=float).reshape(len(channels), len(data["temperature_K"]))
                    data[key] = array.T
                else:
                    data[key] = np.array(column, dtype=float)
            for key in ("phases", "elements", "gases", "equations", "warnings"):
                data[key] = tuple(data[key])
            return cls(**data)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ResultError):
                raise
            raise ResultError(f"rate table: {path} lacks or spoils {error}; write it again.") from None

    def _of_channel(self, key: str, c: int) -> Any:
        value = getattr(self, key)
        return value[:, c] if key in _AGAINST_TEMPERATURE else value[c]


_SHAPES: dict[str, str] = {f.name: f.metadata["shape"] for f in fields(RateTable) if f.metadata}
_AGAINST_TEMPERATURE = tuple(name for name, shape in _SHAPES.items() if shape == "TC")
_BY_CHANNEL = ("equations", *(name for name, shape in _SHAPES.items() if "C" in shape))
