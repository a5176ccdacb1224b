"""Potentials of other packages: ASE calculators and models of torch-sim, by name or by import path.

Every potential has a ``name``, a ``source`` and a method ``check``, which refuses elements without parameters.
``prepare`` imports and makes what has to be imported; ``calculator_of`` returns an ASE calculator.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tammann.errors import DataError, TammannError
from tammann.files import digest
from tammann.potentials.lammps_commands import LammpsCommands, only_lammps
from tammann.potentials.rigid_ions import RigidIons


@dataclass(frozen=True)
class ImportedPotential:
    """A potential made by a callable of another package or of the user.

    Attributes:
        name: Name in plans and messages.
        make: Import path of the callable, called without arguments: ``module:callable``.
        source: Reference.
        extra: The extra of this package that installs it, or an empty string.
        unknown: Elements known to be missing from its training set.
        made: The calculator or model, once it has been made.
    """

    name: str
    make: str
    source: str
    extra: str = ""
    unknown: frozenset[str] = frozenset()
    made: Any = field(default=None, compare=False, repr=False)

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements that are missing from its training set; ``formula`` is for the message."""
        strange = sorted(set(elements) & self.unknown)
        if strange:
            raise DataError(
                f"{formula or 'structure'}: potential {self.name} was not made for {', '.join(strange)}; choose "
                "another potential or composition."
            )

    def build(self) -> Any:
        """Return the calculator or model, made by importing and calling ``make``.

        Raises:
            DataError: The import or the call fails, or there is no such callable.
        """
        if self.made is not None:
            return self.made
        module, _, attribute = self.make.partition(":")
        with muted():
            try:
                maker: Any = importlib.import_module(module)
            except ImportError as reason:
                hint = "install it, or name its folder in PYTHONPATH"
                hint = f"pip install 'tammann[{self.extra}]' brings it" if self.extra else hint
                raise DataError(
                    f"potential {self.name}: cannot import {module} ({one_line(reason)}); {hint}."
                ) from None
            except Exception as reason:  # a module of another package may raise anything
                raise DataError(f"potential {self.name}: importing {module} failed with {one_line(reason)}.") from None
            for part in attribute.split("."):
                maker = getattr(maker, part, None)
            if not callable(maker):
                raise DataError(f"potential {self.name}: {module} has no callable {attribute}; correct its path.")
            if "torch" in sys.modules:
                # each run is a process of its own on one thread
                sys.modules["torch"].set_num_threads(1)
            try:
                return maker()
            except TammannError:
                raise
            except Exception as reason:
                raise DataError(
                    f"potential {self.name}: calling {attribute} without arguments failed with {one_line(reason)}."
                ) from None


@dataclass(frozen=True)
class ModelFile:
    """A trained potential in a file, which ``make`` opens.

    A file of torch holds Python objects: opening it can run code, so open only files whose origin you trust.

    Attributes:
        name: Name in messages, the file name.
        path: The file.
        digest: SHA-256 of the file in hexadecimal, which names the model: file names are reused, digests are not.
        make: Import path ``module:callable`` of a function that takes the path and returns an ASE calculator; what it
            returns may have an attribute ``elements``, those that it has been trained on.
        source: Architecture and reference.
        extra: The extra of this package that installs what ``make`` needs, or an empty string.
        elements: The elements that it has been trained on, or None where only the opened model tells.
        made: The calculator, once it has been made.
    """

    name: str
    path: str
    digest: str
    make: str
    source: str
    extra: str = ""
    elements: frozenset[str] | None = None
    made: Any = field(default=None, compare=False, repr=False)

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements that it has not been trained on; ``formula`` is for the message."""
        wanted = set(elements)
        known: frozenset[str] = getattr(self.made, "elements", self.elements) or frozenset(wanted)
        strange = sorted(wanted - known)
        if strange:
            raise DataError(
                f"{formula or 'structure'}: potential {self.name} has been trained on {', '.join(sorted(known))}, not "
                f"on {', '.join(strange)}; choose another potential or composition."
            )

    def build(self) -> Any:
        """Return the ASE calculator.

        Raises:
            DataError: The file has changed since it was named, a package is missing, or the file cannot be opened.
        """
        if self.made is not None:
            return self.made
        if _digest_of(self.path) != self.digest:
            raise DataError(f"potential {self.name}: the file has changed since it was loaded; load it again.")
        module, _, attribute = self.make.partition(":")
        with muted():
            try:
                return getattr(importlib.import_module(module), attribute)(self.path)
            except TammannError:
                raise
            except Exception as reason:
                raise DataError(
                    f"potential {self.name}: expected a model that {attribute} opens, got {one_line(reason)}; is it "
                    "the right file?"
                ) from None


def model_file(
    path: str | os.PathLike[str], make: str, source: str, *, extra: str = "", elements: Iterable[str] | None = None
) -> ModelFile:
    """Return the potential in a file by its digest; see ``ModelFile``.

    Raises:
        DataError: The file cannot be read.
    """
    known = None if elements is None else frozenset(elements)
    return ModelFile(os.path.basename(path), os.fspath(path), _digest_of(path), make, source, extra, known)


def _digest_of(path: str | os.PathLike[str]) -> str:
    try:
        return digest(path)
    except OSError as reason:
        raise DataError(
            f"potential {os.fspath(path)}: expected a file to read ({reason.strerror or reason}); check the name."
        ) from None


Potential = RigidIons | LammpsCommands | ImportedPotential | ModelFile
"""Interatomic potential, for any engine."""


def imported_potential(path: str) -> ImportedPotential:
    """Return a potential by its import path ``module:callable``; see ``load_potential``.

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


def chgnet(name: str = "chgnet") -> ImportedPotential:
    """Return CHGNet with weights of its package: charge-informed, trained on the Materials Project.

    Args:
        name: ``chgnet``, version 0.3.0, which is of PBE and PBE+U; or ``chgnet-r2scan``, which was made from it by
            further training on energies and forces of r2SCAN.

    Reference:
        Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3.
    """
    return ImportedPotential(
        name=name,
        make=f"tammann.potentials.calculators:make_{name.replace('-', '_')}",
        source="CHGNet, Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3",
        extra="chgnet",
        # elements without a structure in its training set, MPtrj
        unknown=frozenset(
            "Po At Rn Fr Ra Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
        ),
    )


def make_chgnet() -> Any:
    """Load CHGNet, of the package chgnet, as an ASE calculator."""
    return _make_chgnet("0.3.0")


def make_chgnet_r2scan() -> Any:
    """Load CHGNet trained further on r2SCAN, of the package chgnet, as an ASE calculator."""
    return _make_chgnet("r2scan")


def _make_chgnet(weights: str) -> Any:
    try:
        import torch
        from chgnet.model.dynamics import CHGNetCalculator
        from chgnet.model.model import CHGNet
    except ImportError as reason:
        raise DataError(
            f"potential chgnet: it is not installed ({one_line(reason)}); pip install 'tammann[chgnet]' brings it."
        ) from None
    torch.set_num_threads(1)
    model = CHGNet.load(model_name=weights, verbose=False)
    return CHGNetCalculator(model, on_isolated_atoms="ignore")


def prepare(potential: Potential, symbols: Iterable[str]) -> Potential:
    """Return a potential ready for use with atoms of given elements.

    Imported potentials are made; rigid ions or LAMMPS commands returned by a callable replace it.

    Raises:
        DataError: It cannot be made, has no parameters for an element, or its charges do not sum to zero.

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
            made.check(counts, formula=formula)
            return made
        potential = made if isinstance(made, LammpsCommands) else replace(potential, made=made)
    if isinstance(potential, ModelFile):
        potential = replace(potential, made=potential.build())
        potential.check(counts, formula=formula)
    if isinstance(potential, LammpsCommands):
        potential.check(counts, formula=formula)
    return potential


def calculator_of(potential: Potential) -> Any:
    """Return an ASE calculator of a potential.

    Raises:
        DataError: The potential works with LAMMPS only, or the imported object is no suitable calculator.
    """
    made = potential.build() if isinstance(potential, ImportedPotential | ModelFile) else potential
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
    """Suppress what other packages print, and their warnings."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def one_line(reason: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(reason).__name__}: {' '.join(str(reason).split())[:200]}".rstrip(": ")
