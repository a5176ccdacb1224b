"""Programs of other packages: what they print, how they fail, how they are ended; predictions of a model."""

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
