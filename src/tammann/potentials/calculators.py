"""Potentials that somebody else computes: ASE calculators (and models of torch-sim) by name or by import path.

An engine asks of every potential three things: its ``name``, its ``source``, and ``check``, which refuses elements it
does not know. What is imported is made by ``prepare``; what gives the forces comes from ``calculator_of``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tammann.errors import DataError, TammannError
from tammann.potentials.lammps_commands import LammpsCommands, only_lammps
from tammann.potentials.rigid_ions import RigidIons, check_neutral

__all__ = ["ImportedPotential", "Potential", "calculator_of", "chgnet", "imported_potential", "prepare"]


@dataclass(frozen=True)
class ImportedPotential:
    """A potential made by a callable of another package or of the reader's own.

    Attributes:
        name: As it is asked for.
        make: Import path of what makes it, called without arguments: ``module:callable``.
        source: Where it comes from.
        extra: The extra of this package that installs it, or nothing.
        unknown: Elements that it was not made for; of any others its own maker knows.
        made: What has been made already.
    """

    name: str
    make: str
    source: str
    extra: str = ""
    unknown: frozenset[str] = frozenset()
    made: Any = field(default=None, compare=False, repr=False)

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements that it was not made for.

        Raises:
            DataError: Such an element.
        """
        strange = sorted(set(elements) & self.unknown)
        if strange:
            raise DataError(
                f"{formula or 'structure'}: potential {self.name} was not made for {', '.join(strange)}; choose "
                "another potential or composition."
            )

    def build(self) -> Any:
        """Import and call what makes it, where that has not been done.

        Raises:
            DataError: It cannot be imported, is not there, or fails.
        """
        if self.made is not None:
            return self.made
        module, _, attribute = self.make.partition(":")
        with muted():
            try:
                maker: Any = importlib.import_module(module)
            except ImportError as reason:
                hint = (
                    f"pip install 'tammann[{self.extra}]' brings it"
                    if self.extra
                    else "install it, or name its folder in PYTHONPATH"
                )
                raise DataError(f"potential {self.name}: cannot import {module} ({_line(reason)}); {hint}.") from None
            except Exception as reason:  # anything may happen in somebody else's module
                raise DataError(f"potential {self.name}: importing {module} failed with {_line(reason)}.") from None
            for part in attribute.split("."):
                maker = getattr(maker, part, None)
            if not callable(maker):
                raise DataError(f"potential {self.name}: {module} has no callable {attribute}; correct its path.")
            if "torch" in sys.modules:
                # every production is a process of its own on one thread
                sys.modules["torch"].set_num_threads(1)
            try:
                return maker()
            except TammannError:
                raise
            except Exception as reason:
                raise DataError(
                    f"potential {self.name}: calling {attribute} without arguments failed with {_line(reason)}."
                ) from None


Potential = RigidIons | LammpsCommands | ImportedPotential
"""What holds the atoms together, for any engine."""


def imported_potential(path: str) -> ImportedPotential:
    """A potential by the import path of what makes it.

    Args:
        path: ``module:callable``; called without arguments it returns an ASE calculator or ``RigidIons`` (for the
            engines ase and lammps) or a torch-sim model (for the engine torch-sim).

    Raises:
        DataError: Not such a path.

    Example:
        >>> imported_potential("ase.calculators.emt:EMT").make
        'ase.calculators.emt:EMT'
    """
    module, colon, attribute = path.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        raise DataError(
            f"potential: expected module:callable, such as chgnet.model.dynamics:CHGNetCalculator, got {path!r}."
        )
    return ImportedPotential(name=path, make=path, source=f"imported from {path}")


def chgnet() -> ImportedPotential:
    """CHGNet with the weights that its package brings: charge-informed, for any chemistry of the Materials Project.

    Reference:
        Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3.
    """
    return ImportedPotential(
        name="chgnet",
        make="tammann.potentials.calculators:make_chgnet",
        source="CHGNet, Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3",
        extra="chgnet",
        # what its training set, MPtrj, has no structure of
        unknown=frozenset(
            "Po At Rn Fr Ra Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
        ),
    )


def make_chgnet() -> Any:
    """Load CHGNet as an ASE calculator.

    Raises:
        DataError: The package chgnet is not installed.
    """
    try:
        import torch
        from chgnet.model.dynamics import CHGNetCalculator
    except ImportError as reason:
        raise DataError(
            f"potential chgnet: it is not installed ({_line(reason)}); pip install 'tammann[chgnet]' brings it."
        ) from None
    torch.set_num_threads(1)
    return CHGNetCalculator(on_isolated_atoms="ignore")


def prepare(potential: Potential, symbols: Iterable[str]) -> Potential:
    """Make what is imported, and refuse what the potential cannot do.

    Where the callable of a reader returns rigid ions or commands for LAMMPS, these take its place.

    Args:
        potential: As it was loaded.
        symbols: Element of each atom.

    Raises:
        DataError: It cannot be made, does not know an element, or its charges do not cancel.

    Example:
        >>> ions = imported_potential("tammann.potentials:pedone_2006")
        >>> prepare(ions, ["Mg", "O"]).name
        'pedone-2006'
    """
    counts = Counter(symbols)
    formula = "".join(f"{symbol}{count}" for symbol, count in counts.items())
    potential.check(counts)
    if isinstance(potential, ImportedPotential):
        made = potential.build()
        if isinstance(made, RigidIons):
            check_neutral(formula, made)
            return made
        potential = made if isinstance(made, LammpsCommands) else replace(potential, made=made)
    if isinstance(potential, LammpsCommands):
        potential.check(counts, formula=formula)
    return potential


def calculator_of(potential: Potential) -> Any:
    """Make an ASE calculator of a potential.

    Raises:
        DataError: What was imported is none, or cannot be made; or the potential is one for LAMMPS only.
    """
    made = potential.build() if isinstance(potential, ImportedPotential) else potential
    if isinstance(made, LammpsCommands):
        raise only_lammps(made)
    if isinstance(made, RigidIons):
        from tammann.potentials.ewald import RigidIonsCalculator

        return RigidIonsCalculator(made)
    if not callable(getattr(made, "get_property", None)) or not hasattr(made, "implemented_properties"):
        raise DataError(
            f"potential {potential.name}: expected an ASE calculator, got {type(made).__name__}; name a callable that "
            "returns one."
        )
    lacking = [name for name in ("energy", "forces", "stress") if name not in made.implemented_properties]
    if lacking:
        raise DataError(
            f"potential {potential.name}: its calculator has no {' and no '.join(lacking)}, which molecular dynamics "
            "of a melt needs; choose another."
        )
    return made


@contextlib.contextmanager
def muted() -> Any:
    """Let other people's packages print and warn to nobody."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _line(reason: BaseException) -> str:
    """An exception in one line."""
    return f"{type(reason).__name__}: {' '.join(str(reason).split())[:200]}".rstrip(": ")
