"""LAMMPS with commands of the reader's own: the same forces as its own where they are the same, runs, restarts."""

import gzip

import numpy as np
import pytest

from md.stopping import Stopped, stop
from tammann.errors import DataError, ResultError
from tammann.md import lammps_forces
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import LammpsCommands, imported_potential, load_potential, pedone_2006
from tammann.structures import Configuration
from tammann.trajectory import read_trajectory

PEDONE = """
elements: [O, Ti, Mg]     # in another order than the atoms, and with one that is not there
charges: {O: -1.2, Ti: 2.4, Mg: 1.2}
commands: |
  pair_style hybrid/overlay pedone 7.75 coul/long 9.0
  pair_coeff * * coul/long
  pair_coeff Mg O pedone 0.038908 2.281000 2.586153 5.0
  pair_coeff O O pedone 0.042395 1.379316 3.618701 22.0
  kspace_style pppm 1e-6
"""
BUCKINGHAM = """
elements: [Mg, O]
charges: {Mg: 2.0, O: -2.0}
commands: |
  pair_style buck/coul/long 8.0
  pair_coeff Mg O 821.6 0.3242 0.0
  pair_coeff O O 22764.0 0.149 27.88
  pair_coeff Mg Mg 0.0 1.0 0.0
  kspace_style pppm 1e-5
"""


@pytest.fixture
def engine():
    pytest.importorskip("lammps")
    return load_engine("lammps")


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "mine.yaml").write_text(text)
        return load_potential(str(tmp_path / "mine.yaml"))

    return write


def magnesia(edge=4.2, rattle=0.1):
    sites = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    kinds = np.where(sites.sum(axis=1) % 2, "O", "Mg")
    x = sites * edge / 2 + np.random.default_rng(1).normal(scale=rattle, size=sites.shape)
    return Configuration(tuple(str(k) for k in kinds), x, 2 * edge * np.eye(3))


def test_the_same_potential_from_a_file(engine, written, monkeypatch):
    """Within what is stated of the Coulomb sum of runs, and within what the switch matters with a finer one."""
    melt = engine.run(magnesia(4.8), pedone_2006(), Conditions(4000.0), duration_ps=3.0, rng=1).configuration
    E, F, P = engine.single_point(melt, written(PEDONE))
    ours = engine.single_point(melt, pedone_2006())
    assert ours[0] == pytest.approx(E, abs=0.004)
    assert np.sqrt(np.mean((ours[1] - F) ** 2) / np.mean(F**2)) < 0.012
    assert ours[2][:3].mean() == pytest.approx(P[:3].mean(), abs=0.15)
    monkeypatch.setattr(lammps_forces, "SCREENING", 3.6)
    monkeypatch.setattr(lammps_forces, "MESH_A", 0.3)
    ours = engine.single_point(melt, pedone_2006())
    assert ours[0] == pytest.approx(E, abs=2e-4)
    assert np.sqrt(np.mean((ours[1] - F) ** 2) / np.mean(F**2)) < 0.001
    # what LAMMPS cuts off at 7.75 Å and not smoothly is a result of 2 pi/3 rho**2 r**3 U(r) between oxygens: 0.07 GPa
    assert ours[2][:3].mean() == pytest.approx(P[:3].mean() - 0.07, abs=0.03)


def test_it_moves_relaxes_and_keeps_energy(engine, written):
    mine = written(BUCKINGHAM)
    relaxed = engine.relax(magnesia(), mine)
    assert engine.single_point(relaxed, mine)[0] < engine.single_point(magnesia(), mine)[0] - 0.01
    # what holds rock salt together: Madelung's constant and both parts of Buckingham's formula, by shells
    coulomb = -1.747565 * 14.399645 * 4 / 2.1
    unlike = sum(n * 821.6 * np.exp(-r / 0.3242) for r, n in shells(1))
    like = sum(n * (22764.0 * np.exp(-r / 0.149) - 27.88 / r**6) for r, n in shells(0))
    per_pair = 2 * engine.single_point(magnesia(rattle=0.0), mine)[0]
    assert per_pair == pytest.approx(coulomb + unlike + like / 2, abs=2e-3)
    run = engine.run(relaxed, mine, Conditions(2000.0, 1.0, "none"), duration_ps=1.0, rng=2)
    kinetic = 1.5 * 8.617333e-5 * run.temperature_K * (1 - 1 / 64)
    assert np.ptp(run.energy_eV_per_atom + kinetic) < 1e-3 < np.ptp(run.energy_eV_per_atom)
    assert run.configuration.symbols == magnesia().symbols


def shells(parity):
    """Distances of rock salt up to 8 Å and how many there are: of like ions (0) or unlike ones (1)."""
    grid = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    squares = (grid**2).sum(axis=1)[grid.sum(axis=1) % 2 == parity]
    return [(2.1 * np.sqrt(s), (squares == s).sum()) for s in np.unique(squares) if 0 < s < (8.0 / 2.1) ** 2]


@pytest.mark.parametrize("text", [PEDONE, BUCKINGHAM])
def test_trajectories_are_taken_up(engine, written, tmp_path, text):
    mine, start = written(text), magnesia()
    options = {"duration_ps": 0.08, "frame_fs": 8.0, "sample_fs": 4.0, "rng": 2}
    with pytest.raises(Stopped):
        engine.produce(start, mine, Conditions(2000.0), tmp_path / "a", **options, progress=stop)
    taken = engine.produce(start, mine, Conditions(2000.0), tmp_path / "a", **options)
    straight = engine.produce(start, mine, Conditions(2000.0), tmp_path / "b", **options)
    a, b = (read_trajectory(path, timestep_fs=2.0) for path in (taken, straight))
    assert a.n_frames == 11 and a.formula == "MgO" and tuple(a.symbols) == start.symbols
    np.testing.assert_allclose(a.positions, b.positions, atol=5e-3)
    assert b" Mg " in gzip.decompress(taken.read_bytes())
    with pytest.raises(ResultError, match=r"holds \d types of atoms, expected 1 \(Mg\); is it this run"):
        other = LammpsCommands("mg", ("Mg",), ("pair_style zero 5.0", "pair_coeff * *"))
        metal = Configuration(("Mg",) * 64, start.positions_A, start.cell_A)
        engine.produce(metal, other, Conditions(2000.0), tmp_path / "a", **(options | {"duration_ps": 0.16}))


def test_files_beside_it(engine, written, tmp_path):
    """A table in a folder with a blank in its name."""
    folder = tmp_path / "my tables"
    folder.mkdir()
    r = np.linspace(1.0, 5.0, 50)
    rows = "\n".join(f"{k} {x:.6f} {(5 - x) ** 2:.6f} {2 * (5 - x):.6f}" for k, x in enumerate(r, start=1))
    (folder / "pair.table").write_text(f"# UNITS: metal\nSPRING\nN 50 R 1.0 5.0\n\n{rows}\n")
    text = 'elements: [Mg]\ncommands: |\n  pair_style table linear 400\n  pair_coeff * * "{folder}/pair.table" SPRING\n'
    (folder / "mg.yml").write_text(text)
    pair = Configuration(("Mg", "Mg"), np.array([[0, 0, 0], [3.0, 0, 0]]), 12.0 * np.eye(3))
    per_atom, forces, _ = engine.single_point(pair, load_potential(str(folder / "mg.yml")))
    assert per_atom == pytest.approx(2.0, abs=1e-3) and forces[1, 0] == pytest.approx(4.0, abs=1e-3)


@pytest.mark.parametrize(
    "change, words",
    [
        (("pair_style buck/coul/long", "pair_style buck/coul/lnog"), "refused 'pair_style buck/coul/lnog 8.0'"),
        (("pair_coeff Mg O", "pair_coeff Mg Ox"), r"refused 'pair_coeff Mg Ox 821.6 0.3242 0.0' \(ERROR: .*Ox"),
        (
            ("kspace_style pppm 1e-5", "kspace_style pppm 1e-5\n  fix q all qeq/point x"),
            "refused 'fix q all qeq/point x'",
        ),
        (("  pair_coeff Mg Mg 0.0 1.0 0.0\n", ""), "lammps stopped: ERROR: All pair coeffs are not set"),
        (("  kspace_style pppm 1e-5\n", ""), "lammps stopped: ERROR: Pair style requires a KSpace style"),
    ],
)
def test_commands_that_lammps_refuses(engine, written, change, words):
    with pytest.raises(DataError, match=words) as caught:
        engine.single_point(magnesia(), written(BUCKINGHAM.replace(*change)))
    assert "\n" not in str(caught.value) and ".cpp" not in str(caught.value)


def test_atoms_it_cannot_do(engine, written):
    mine = written(BUCKINGHAM)
    start = magnesia()
    with pytest.raises(DataError, match="has no type for Ca, only for Mg, O"):
        engine.single_point(Configuration(("Ca",) * 64, start.positions_A, start.cell_A), mine)
    with pytest.raises(DataError, match="O64: its charges with mine"):
        engine.run(
            Configuration(("O",) * 64, start.positions_A, start.cell_A), mine, Conditions(300.0), duration_ps=0.1
        )
    with pytest.raises(DataError, match="potential mine: works with engine lammps only; take that engine"):
        load_engine("ase").single_point(start, mine)


def test_rigid_ions_and_commands_from_a_callable(engine):
    start = magnesia()
    mine = imported_potential("potentials.toys:rigid")
    for code in (engine, load_engine("ase")):
        expected, found = (code.single_point(start, potential) for potential in (pedone_2006(), mine))
        assert found[0] == pytest.approx(expected[0], abs=1e-9)
        np.testing.assert_allclose(found[1], expected[1], atol=1e-8)
    assert engine.single_point(start, imported_potential("potentials.toys:commands"))[0] != 0.0
