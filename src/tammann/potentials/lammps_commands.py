"""A potential of LAMMPS, defined by LAMMPS commands in a small YAML file.

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
``{folder}`` is the folder of the YAML file, for tables and parameters beside it. The engine does the rest: cell, atoms,
masses, thermostat, steps, recording.

A file is data, not a program: only the commands and styles in ``ALLOWED`` are accepted, so that a potential from
somebody else can neither run a program nor write a file. Styles whose parameters can do so are left out (``python``,
``mliap``, ``kim``, ``quip``, models in compiled code); so are variables, which could stand for any word. A Python
callable that returns ``LammpsCommands`` is a program already and may use any command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.files import read_text
from tammann.potentials.rigid_ions import refuse_charge
from tammann.strict import Document, shown

_PAIR = (
    "(?:adp|agni|airebo|beck|bop|born|buck|comb|comb3|coul|dispersion|eam|edip|eim|extep|gauss|gw|harmonic|lcbop|lennard|"
    "lepton|lj|lj96|local|meam|mie|morse|nb3b|nm|pace|pedone|pod|polymorphic|reaxff|rebo|rebomos|snap|soft|sw|table|"
    "tersoff|threebody|uf3|ufm|vashishta|wf|yukawa|zbl|zero)(?:/[a-z0-9/]+)?"
)
_IN_HYBRID = rf"(?:{_PAIR}|[-+.eE\d]+|linear|lookup|spline|bitmap|ewald|pppm|msm|shift|product|recursive|NULL|yes|no)"
_QEQ = "(?:acks2/reaxff|qtpie/reaxff|qeq/(?:comb|ctip|dynamic|fire|point|reaxff|rel/reaxff|shielded|slater))"
ALLOWED = {
    "pair_style": (
        rf"{_PAIR}( \S+)*|hybrid(/\w+)?( {_IN_HYBRID})+",
        "a pair style of LAMMPS itself that runs no program",
    ),
    "kspace_style": ("(ewald|msm|pppm|zero)(/[a-z0-9/]+)?( \\S+)*", "ewald, msm or pppm"),
    # the option file of qeq/comb writes one
    "fix": (rf"\w+ \w+ {_QEQ}( (?!file\b)\S+)*", "charge equilibration such as qeq/point"),
    "fix_modify": (r"\w+( (energy|virial) (yes|no))+", "energy or virial"),
    "group": (r"\w+ type( \S+)+", "a group by type"),
    "set": (r"type \S+ charge [-+.eE\d]+", "the charge of a type"),
    **dict.fromkeys(("pair_coeff", "pair_modify", "kspace_modify", "special_bonds", "dielectric"), (".+", "arguments")),
    **dict.fromkeys(("mass", "neighbor", "neigh_modify", "comm_modify"), (".+", "arguments")),
}
"""Commands that define forces: a pattern of the arguments, one space between words, and what it stands for."""


@dataclass(frozen=True)
class LammpsCommands:
    """A potential defined by LAMMPS commands, for the engine lammps only.

    Attributes:
        name: Name in messages.
        elements: The atom types, in order.
        commands: LAMMPS commands in ``units metal``; a type may be named by its element.
        charges: Charge of every element, in elementary charges; empty for a potential without charges.
        source: Reference.

    Example:
        >>> soft = LammpsCommands("soft", ("Ar",), ("pair_style lj/cut 8.5", "pair_coeff Ar Ar 0.0104 3.4"))
        >>> soft.check(["Ar", "Ar"])
    """

    name: str
    elements: tuple[str, ...]
    commands: tuple[str, ...] = field(repr=False)
    charges: Mapping[str, float] = field(default_factory=dict, repr=False)
    source: str = ""

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements without a type and, with a formula, charges that do not cancel.

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
            refuse_charge(formula, self.charges, self.name)


def only_lammps(potential: LammpsCommands) -> DataError:
    """Return the error of an engine that cannot run LAMMPS commands."""
    return DataError(
        f"potential {potential.name}: works with engine lammps only; take that engine or another potential."
    )


class _PotentialFile(Document):
    ERROR = DataError

    name: Annotated[str, Field(strict=True, min_length=1, max_length=100)] | None = Field(
        default=None, description="a short name"
    )
    source: Annotated[str, Field(strict=True, max_length=1000)] = Field(
        default="", description="the reference, in one line"
    )
    elements: tuple[Annotated[str, Field(strict=True)], ...] = Field(
        min_length=1, max_length=100, description="a list of elements, such as [Mg, O]"
    )
    charges: dict[str, Annotated[float, Field(strict=True, allow_inf_nan=False)]] | None = Field(
        default=None, description="a number of elementary charges for every element, such as {Mg: 2.0, O: -2.0}"
    )
    commands: Annotated[str, Field(strict=True)] = Field(
        description="commands of LAMMPS behind 'commands: |', one a line"
    )

    @model_validator(mode="after")
    def _check(self) -> _PotentialFile:
        for symbol in self.elements:
            if symbol not in atomic_masses():
                raise ValueError(f"elements: expected symbols of elements, got {shown(symbol)}; check its spelling")
        if len(set(self.elements)) < len(self.elements):
            raise ValueError("elements: expected each element once; remove the repeated one")
        if self.charges is not None:
            for symbol in sorted(self.charges.keys() - set(self.elements)):
                raise ValueError(f"charges: expected the elements {', '.join(self.elements)}, got {shown(symbol)}")
            for symbol in sorted(set(self.elements) - self.charges.keys()):
                raise ValueError(f"charges: expected one for every element, got none for {symbol}; add it")
        if not any(command.split()[0] == "pair_style" for _, command in _numbered(self.commands)):
            raise ValueError("commands: expected a pair_style among them, got none; add it")
        return self


def _numbered(text: str) -> list[tuple[int, str]]:
    """Return commands and the index of their first line; comments and blank lines are dropped, lines after & joined."""
    logical = re.finditer(r"(?:.*&[ \t]*\n)*.*", text)
    lines = [(text.count("\n", 0, m.start()), re.sub(r"&[ \t]*\n", " ", m.group()).strip()) for m in logical]
    return [(index, line) for index, line in lines if line and not line.startswith("#")]


def _check_command(command: str, line: int) -> None:
    """Refuse a command, perhaps with a comment, that is not in ``ALLOWED``."""
    code = command.partition("#")[0]
    word, *arguments = code.split()
    if word not in ALLOWED:
        raise DataError(
            f"commands: expected commands on forces ({', '.join(ALLOWED)}) in line {line}, got {shown(command)}; "
            "remove it, the engine does the rest."
        )
    if not arguments:
        raise DataError(f"commands: expected something behind {word}, got nothing in line {line}.")
    # LAMMPS reads some Unicode characters as blanks and quotes; quotes and $ can hide a word from the patterns
    forbidden = "$&" if word == "pair_coeff" else "$&\"'"
    if not re.fullmatch(r"[ -~\t]+", code) or set(forbidden) & set(code):
        raise DataError(
            f"commands: expected plain ASCII words and numbers in line {line}, without variables ($); quotes only "
            f"around file names of pair_coeff; got {shown(command)}."
        )
    pattern, meaning = ALLOWED[word]
    if not re.fullmatch(pattern, " ".join(arguments)):
        raise DataError(f"commands: expected {meaning} behind {word} in line {line}, got {shown(command)}; remove it.")


def read_lammps_commands(path: str | os.PathLike[str]) -> LammpsCommands:
    r"""Read a potential from a YAML file as described in this module.

    Raises:
        DataError: No such file, a key that is missing, unknown or not as expected, or a command that is not allowed.

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
    block = re.search(r"^commands:[ \t]*\|", text, re.MULTILINE)
    first = text.count("\n", 0, block.start()) + 2 if block else 1  # in another kind of YAML string lines are its own
    file = Path(path).resolve()
    folder = file.parent.as_posix()
    try:
        held = _PotentialFile.from_text(text)
        commands = _numbered(held.commands)
        for index, command in commands:
            _check_command(command, first + index)
            if "{folder}" in command and set("$&\"'\n") & set(folder):
                raise DataError(f"expected a folder without $, & and quotes in its path, got {shown(folder)}; move it.")
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return LammpsCommands(
        name=held.name or file.stem,
        elements=held.elements,
        commands=tuple(command.replace("{folder}", folder) for _, command in commands),
        charges=dict(held.charges or {}),
        source=held.source or f"LAMMPS commands of {file.name}",
    )
