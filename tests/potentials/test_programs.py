"""Programs of other packages: what they print, how they fail, how they are ended; predictions of a model."""

import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.calculators import ModelFile
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.programs import package_version, predict, run_program, run_text, write_frames
from tammann.structures import Configuration

PAIR = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), 8.0 * np.eye(3))


def test_a_failure_is_one_sentence_with_the_last_lines(tmp_path):
    with pytest.raises(DataError, match=r"failed with exit status 3 \(so far so good / and now\); see .*log.txt"):
        run_program([sys.executable, "-c", "print('so far so good\\nand now'); raise SystemExit(3)"], tmp_path)
    with pytest.raises(DataError, match="no-such-python: expected a program that runs"):
        run_text(["no-such-python"])


def test_a_program_is_ended_when_it_is_time(tmp_path):
    begin = time.monotonic()
    run_program([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, ended=lambda: True)
    assert time.monotonic() - begin < 20


def test_a_program_ends_with_the_process_that_asked_for_it(tmp_path):
    """Also where that is killed and can clean nothing up."""
    child = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(120)"
    code = (
        f"from tammann.potentials.programs import run_program; run_program([{sys.executable!r}, '-c', {child!r}], '.')"
    )
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    asking = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths})
    try:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    finally:
        asking.kill()
        asking.wait()
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not alive(pid))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(done, seconds=60):
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_program_gets_its_threads(tmp_path):
    run_program([sys.executable, "-c", "import os; print(os.environ['OMP_NUM_THREADS'])"], tmp_path, threads=3)
    assert (tmp_path / "log.txt").read_text().strip() == "3"


def test_versions_of_packages():
    assert package_version("numpy") == np.__version__
    with pytest.raises(DataError, match="expected an interpreter with no-such-package installed"):
        package_version("no-such-package")


def test_predictions_of_this_python():
    from ase.calculators.lj import LennardJones

    model = ModelFile("toy", "", "", "", "", made=LennardJones(sigma=2.0, rc=6.0))
    (found,) = predict(model, DataSet((Frame(PAIR, trajectory="a"),)))
    assert found.trajectory == "a" and found.energy_eV < 0 and found.forces_eV_per_A.shape == (2, 3)
    with pytest.raises(DataError, match="for another Python; leave python out"):
        predict(model, DataSet((Frame(PAIR),)), python=sys.executable)


def test_frames_without_labels_are_refused(tmp_path):
    with pytest.raises(DataError, match="train: expected an energy and forces"):
        write_frames(tmp_path, train=DataSet((Frame(PAIR),)))
    with pytest.raises(DataError, match="valid: expected at least one frame"):
        write_frames(tmp_path, valid=DataSet(()))
