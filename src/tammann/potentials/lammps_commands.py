"""A potential that LAMMPS knows, by the commands that set it up: a small YAML file in place of code.

::

    name: buckingham-mgo          # optional, as is the source
    source: Author et al., Journal Year, doi
    elements: [Mg, O]             # the atom types, in this order
    charges: {Mg: 2.0, O: -2.0}   # optional; with them compositions must be neutral
    commands: |
      pair_style buck/coul/long 10.0
      pair_coeff Mg O 821.6 0.3242 0.0
      pair_coeff O O 22764.0 0.149 27.88
      pair_coeff Mg Mg 0.0 1.0 0.0
      kspace_style pppm 1e-5

Units are those of LAMMPS's ``units metal``: eV, Å, ps, elementary charges. A command may name a type by its element.
``{folder}`` stands for the folder of the YAML file, where tables and parameters may lie beside it. All else about a run
(cell, atoms, masses, heat bath, steps, what is recorded) is the engine's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import DataError
from tammann.potentials.rigid_ions import refuse_charge
from tammann.strict import Block, explain, read_block, read_text, shown

__all__ = ["LammpsCommands", "only_lammps", "read_lammps_commands"]

ALLOWED = (
    *("pair_style", "pair_coeff", "pair_modify", "kspace_style", "kspace_modify", "special_bonds", "dielectric"),
    *("set", "mass", "group", "variable", "compute", "fix", "fix_modify", "neighbor", "neigh_modify", "comm_modify"),
    "plugin",
)
"""What describes forces; the rest is the engine's."""


@dataclass(frozen=True)
class LammpsCommands:
    """Commands after which LAMMPS knows the forces; for the engine lammps only.

    Attributes:
        name: As it is called in messages.
        elements: The atom types, in this order.
        commands: One command each, in ``units metal``; a type may be named by its element.
        charges: Charge of every element, in elementary charges; empty where the commands know of none.
        source: Where it comes from.

    Example:
        >>> soft = LammpsCommands("soft", ("Ar",), ("pair_style lj/cut 8.5", "pair_coeff Ar Ar 0.0104 3.4"))
        >>> soft.check(["Ar", "Ar"])
    """

    name: str
    elements: tuple[str, ...]
    commands: tuple[str, ...]
    charges: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements that it has no type for and, with a formula, charges that do not cancel.

        Args:
            elements: Symbols, each as often as one likes.
            formula: A composition.

        Raises:
            DataError: An element without a type, or a charge per formula unit.

        Example:
            >>> LammpsCommands("q", ("Mg", "O"), (), {"Mg": 2.0, "O": -2.0}).check(["Mg", "O"], formula="MgO")
        """
        unknown = sorted(set(elements) - set(self.elements))
        if unknown:
            raise DataError(
                f"{formula or 'structure'}: potential {self.name} has no type for {', '.join(unknown)}, only for "
                f"{', '.join(self.elements)}; add it to its elements and commands, or choose another composition."
            )
        if formula and self.charges:
            refuse_charge(parse_formula(formula), self.charges, formula=formula, name=self.name)


def only_lammps(potential: LammpsCommands) -> DataError:
    """What to say of it to another engine."""
    return DataError(
        f"potential {potential.name}: works with engine lammps only; take that engine or another potential."
    )


def _number() -> object:
    return Field(strict=True, allow_inf_nan=False)


class _File(Block):
    name: Annotated[str, Field(strict=True, min_length=1, max_length=100)] | None = Field(
        default=None, description="a short name"
    )
    source: Annotated[str, Field(strict=True, max_length=1000)] = Field(
        default="", description="a line on where it comes from"
    )
    elements: tuple[Annotated[str, Field(strict=True)], ...] = Field(
        min_length=1, max_length=100, description="a list of elements, such as [Mg, O]"
    )
    charges: dict[str, Annotated[float, _number()]] | None = Field(
        default=None, description="a number of elementary charges for every element, such as {Mg: 2.0, O: -2.0}"
    )
    commands: Annotated[str, Field(strict=True)] = Field(
        description="commands of LAMMPS behind 'commands: |', one a line"
    )

    @model_validator(mode="after")
    def _together(self) -> _File:
        strange = [symbol for symbol in self.elements if symbol not in atomic_masses()]
        if strange:
            raise ValueError(f"elements: expected symbols of elements, got {shown(strange[0])}; check its spelling")
        if len(set(self.elements)) < len(self.elements):
            raise ValueError("elements: expected each element once; remove the repeated one")
        if self.charges is not None:
            if set(self.charges) - set(self.elements):
                symbol = next(symbol for symbol in self.charges if symbol not in self.elements)
                raise ValueError(f"charges: expected the elements {', '.join(self.elements)}, got {shown(symbol)}")
            if set(self.charges) != set(self.elements):
                symbol = next(symbol for symbol in self.elements if symbol not in self.charges)
                raise ValueError(f"charges: expected one for every element, got none for {symbol}; add it")
        commands = _lines(self.commands)
        for command in commands:
            word, *rest = command.split()
            if word not in ALLOWED:
                raise ValueError(
                    f"commands: expected commands on forces ({', '.join(ALLOWED)}), got {shown(command)}; remove it, "
                    "the engine does the rest"
                )
            if not rest:  # LAMMPS may die of it
                raise ValueError(f"commands: expected something behind {word}, got nothing")
        if not any(command.split()[0] == "pair_style" for command in commands):
            raise ValueError("commands: expected a pair_style among them, got none; add it")
        return self


def _lines(text: str) -> list[str]:
    """Commands, one each: comments and blank lines are left out, and lines that end in & go on."""
    joined = re.sub(r"&[ \t]*\r?\n", " ", text)
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def read_lammps_commands(path: str | os.PathLike[str]) -> LammpsCommands:
    r"""A potential from a YAML file as this module describes it.

    Args:
        path: The file; ``{folder}`` in its commands becomes its folder.

    Raises:
        DataError: No such file, a key that is missing, unknown or not what is expected, or a command that does not
            describe forces.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "argon.yaml"
        ...     lines = "elements: [Ar]", "commands: |", "  pair_style lj/cut 8.5", "  pair_coeff Ar Ar 0.0104 3.4"
        ...     _ = file.write_text("\n".join(lines))
        ...     argon = read_lammps_commands(file)
        >>> argon.name, argon.commands[0]
        ('argon', 'pair_style lj/cut 8.5')
    """
    text = read_text(path, error=DataError)
    try:
        held = _File(**read_block(text, error=DataError))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except ValidationError as error:
        raise DataError(f"{path}: {explain(error, _File)}") from None
    file = Path(path).resolve()
    # not ${folder}, which is a variable of LAMMPS
    commands = (re.sub(r"(?<!\$)\{folder\}", lambda _: file.parent.as_posix(), line) for line in _lines(held.commands))
    return LammpsCommands(
        name=held.name or file.stem,
        elements=held.elements,
        commands=tuple(commands),
        charges=dict(held.charges or {}),
        source=held.source or f"LAMMPS commands of {file.name}",
    )
