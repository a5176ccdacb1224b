"""What other packages hold is the same system as its plain arrays."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory import (
    trajectory_from_arrays,
    trajectory_from_ase,
    trajectory_from_mdanalysis,
    trajectory_from_pymatgen,
)

SYMBOLS = ("Ba", "Ti", "O", "O", "O")
CELL = np.array([[9.0, 0, 0], [4.0, 10.0, 0], [-3.0, 4.5, 11.0]])
FRAMES = 12


@pytest.fixture(params=["constant", "varying"])
def system(request):
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.normal(scale=0.5, size=(FRAMES, 5, 3)), axis=0) + 4.0
    factor = 1 + (0.003 * np.sin(np.arange(FRAMES)) if request.param == "varying" else np.zeros(FRAMES))
    cells = CELL * factor[:, None, None]
    s = np.matmul(x, np.linalg.inv(cells))
    s -= np.floor(s)
    expected = trajectory_from_arrays(np.matmul(s, cells), cells, SYMBOLS, frame_interval_ps=0.1)
    return s, cells, expected


def same(found, expected, atol=1e-9):
    np.testing.assert_allclose(
        found.positions - found.positions[0], expected.positions - expected.positions[0], atol=atol
    )
    np.testing.assert_allclose(found.cells, expected.cells, atol=max(atol, 1e-9))
    assert found.symbols == expected.symbols
    assert found.frame_interval_ps == pytest.approx(expected.frame_interval_ps)


def test_ase(system):
    ase = pytest.importorskip("ase")
    s, cells, expected = system
    frames = [ase.Atoms(SYMBOLS, scaled_positions=p, cell=c, pbc=True) for p, c in zip(s, cells, strict=True)]
    same(trajectory_from_ase(iter(frames), frame_interval_ps=0.1), expected)
    x = expected.positions
    for atoms, now in zip(frames, x, strict=True):
        atoms.positions = now
    same(trajectory_from_ase(frames, frame_interval_ps=0.1), expected)
    same(trajectory_from_ase(frames, frame_interval_ps=0.1, wrapped=False), expected, 0.1)
    frames[4].symbols[1] = "Zr"
    with pytest.raises(DataError, match="frame 4: .*mixed compositions"):
        trajectory_from_ase(frames, frame_interval_ps=0.1)
    with pytest.raises(DataError, match="frame 1 .*pbc"):
        trajectory_from_ase([frames[0], ase.Atoms("O", cell=np.eye(3), pbc=False)], frame_interval_ps=0.1)
    with pytest.raises(DataError, match="volume 0"):
        trajectory_from_ase([ase.Atoms("O", pbc=True)] * 2, frame_interval_ps=0.1)
    with pytest.raises(DataError, match="frame 0 is a int, expected Atoms"):
        trajectory_from_ase([1, 2], frame_interval_ps=0.1)
    with pytest.raises(DataError, match="this is a int"):
        trajectory_from_ase(1, frame_interval_ps=0.1)
    with pytest.raises(DataError, match=r"0 whole frame\(s\)"):
        trajectory_from_ase([], frame_interval_ps=0.1)


# pymatgen leaves files open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_pymatgen(system, tmp_path):
    core = pytest.importorskip("pymatgen.core")
    from pymatgen.core.trajectory import Trajectory

    s, cells, expected = system
    structures = [core.Structure(c, SYMBOLS, p) for p, c in zip(s, cells, strict=True)]
    same(trajectory_from_pymatgen(structures, frame_interval_ps=0.1), expected)
    constant = len(expected.cells) == 1
    whole = Trajectory(
        [core.Species("Ba", 2), core.Element("Ti"), "O2-", "O", "O"],
        s,
        lattice=cells[0] if constant else cells,
        constant_lattice=constant,
        time_step=2.0,
    )
    same(trajectory_from_pymatgen(whole, frame_interval_ps=0.1), expected)
    before = whole.coords.copy()
    whole.to_displacements()
    displaced = whole.coords.copy()
    same(trajectory_from_pymatgen(whole, frame_interval_ps=0.1), expected)
    assert whole.coords_are_displacement
    assert np.array_equal(whole.coords, displaced)
    assert not np.array_equal(before, displaced)
    if constant:
        from pymatgen.io.vasp.outputs import Xdatcar

        whole.to_positions()
        whole.species = [core.Element(symbol) for symbol in SYMBOLS]
        whole.write_Xdatcar(tmp_path / "XDATCAR")
        same(trajectory_from_pymatgen(Xdatcar(tmp_path / "XDATCAR"), frame_interval_ps=0.1), expected, 1e-4)
    with pytest.raises(DataError, match="frame 1: .*mixed compositions"):
        other = core.Structure(CELL, ["O"], [[0, 0, 0]])
        trajectory_from_pymatgen([structures[0], other], frame_interval_ps=0.1)
    with pytest.raises(DataError, match="fully occupied"):
        trajectory_from_pymatgen(
            [core.Structure(CELL, [{"Ba": 0.5, "Sr": 0.5}], [[0, 0, 0]])] * 2, frame_interval_ps=0.1
        )
    molecules = Trajectory(["O"], np.zeros((3, 1, 3)), charge=0)
    with pytest.raises(DataError, match="molecules"):
        trajectory_from_pymatgen(molecules, frame_interval_ps=0.1)


@pytest.mark.filterwarnings("ignore")
def test_mdanalysis(system, tmp_path):
    mda = pytest.importorskip("MDAnalysis")
    from MDAnalysis.coordinates.memory import MemoryReader

    s, cells, expected = system
    # It holds lengths and angles of a cell, with a along x, as these have it.
    lengths = np.linalg.norm(cells, axis=2)
    cosines = np.stack(
        [
            np.einsum("fi,fi->f", cells[:, j], cells[:, k]) / lengths[:, j] / lengths[:, k]
            for j, k in ((1, 2), (0, 2), (0, 1))
        ],
        axis=1,
    )
    boxes = np.concatenate([lengths, np.degrees(np.arccos(cosines))], axis=1)
    universe = mda.Universe.empty(5, trajectory=False)
    universe.add_TopologyAttr("elements", list(SYMBOLS))
    universe.load_new(np.matmul(s, cells).astype(np.float32), format=MemoryReader, dimensions=boxes, dt=0.1)
    same(trajectory_from_mdanalysis(universe), expected, 1e-4)
    same(trajectory_from_mdanalysis(universe, every=2), expected.frames(0, None, 2), 1e-4)
    oxygen = trajectory_from_mdanalysis(universe.select_atoms("element O"))
    assert oxygen.symbols == ("O", "O", "O")
    assert trajectory_from_mdanalysis(universe, start=2, stop=8, frame_interval_ps=0.3).n_frames == 6
    with pytest.raises(DataError, match="expected a Universe"):
        trajectory_from_mdanalysis(1)
    unnamed = mda.Universe.empty(5, trajectory=False)
    unnamed.load_new(np.matmul(s, cells).astype(np.float32), format=MemoryReader, dimensions=boxes, dt=0.1)
    with pytest.raises(DataError, match="have no elements"):
        trajectory_from_mdanalysis(unnamed)
    unnamed.add_TopologyAttr("types", ["1", "2", "3", "3", "3"])
    same(trajectory_from_mdanalysis(unnamed, types=("Ba", "Ti", "O")), expected, 1e-4)
    with pytest.raises(DataError, match="types names 2"):
        trajectory_from_mdanalysis(unnamed, types=("Ba", "Ti"))
    boxless = mda.Universe.empty(1, trajectory=True)
    boxless.add_TopologyAttr("elements", ["O"])
    with pytest.raises(DataError, match="has no cell"):
        trajectory_from_mdanalysis(boxless, frame_interval_ps=0.1)


@pytest.mark.filterwarnings("ignore")
def test_the_same_dump_as_mdanalysis(tmp_path):
    mda = pytest.importorskip("MDAnalysis")
    from tammann.trajectory import read_trajectory

    rng = np.random.default_rng(5)
    low, high, tilts = np.array([-1.0, 2.0, 0.0]), np.array([10.0, 13.0, 12.0]), (2.0, -1.5, 3.0)
    xy, xz, yz = tilts
    cell = np.array([[11.0, 0, 0], [xy, 11.0, 0], [xz, yz, 12.0]])
    text = ""
    for k in range(6):
        bounds = (
            f"{low[0] + min(0, xy, xz, xy + xz)} {high[0] + max(0, xy, xz, xy + xz)} {xy}\n"
            f"{low[1] + min(0, yz)} {high[1] + max(0, yz)} {xz}\n{low[2]} {high[2]} {yz}\n"
        )
        text += f"ITEM: TIMESTEP\n{k * 10}\nITEM: NUMBER OF ATOMS\n5\nITEM: BOX BOUNDS xy xz yz pp pp pp\n{bounds}"
        text += "ITEM: ATOMS id type xu yu zu\n"
        for i in rng.permutation(5):
            text += f"{i + 1} 1 {' '.join(map(str, (rng.random(3) + k * 0.1).round(5)))}\n"
    (tmp_path / "a.lammpsdump").write_text(text)
    ours = read_trajectory(tmp_path / "a.lammpsdump", timestep_fs=1.0, types="O")
    universe = mda.Universe(
        str(tmp_path / "a.lammpsdump"), format="LAMMPSDUMP", lammps_coordinate_convention="unwrapped"
    )
    np.testing.assert_allclose(ours.cells[0], cell, atol=1e-12)
    for k, frame in enumerate(universe.trajectory):
        # It moves the corner of the box to zero and computes with single precision.
        np.testing.assert_allclose(frame.positions, ours.positions[k] - low, atol=1e-5)
        np.testing.assert_allclose(frame.triclinic_dimensions, cell, atol=1e-5)
    with pytest.raises(DataError, match="how much time lies"):
        trajectory_from_mdanalysis(universe, types=("O",))
    universe = mda.Universe(
        str(tmp_path / "a.lammpsdump"), format="LAMMPSDUMP", lammps_coordinate_convention="unwrapped", dt=0.002
    )
    assert trajectory_from_mdanalysis(universe, types=("O",)).frame_interval_ps == pytest.approx(0.02)
