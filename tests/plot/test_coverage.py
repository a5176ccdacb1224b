import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot.coverage import plot_coverage
from tammann.potentials.dataset import DataSet, Frame
from tammann.structures import Configuration


def data():
    rng = np.random.default_rng(0)
    symbols = (("Ba", "O"), ("Ti", "O", "O"), ("Ba", "Ti", "O", "O", "O"))
    frames = []
    for n in range(30):
        atoms = symbols[n % 3]
        cell = Configuration(atoms, 4 * rng.random((len(atoms), 3)), (4 + 0.1 * rng.random()) * np.eye(3))
        frames.append(Frame(cell, config_type="melt" if n < 20 else "strained"))
    return DataSet(tuple(frames))


def test_every_panel_shows_what_is_there():
    dataset = data()
    compositions, densities, contacts, environments = plot_coverage(dataset).axes
    assert [bar.get_width() for bar in compositions.patches] == [7, 6, 7, 3, 4, 3]
    names = [text.get_text() for text in compositions.get_yticklabels()]
    assert "Ti" in names[0] and "Ba" not in names[0] and "Ti" not in names[-1]
    assert sum(len(dots.get_offsets()) for dots in densities.collections) == 30
    labels = [text.get_text() for text in contacts.get_yticklabels()]
    assert labels == ["Ti–Ti", "Ti–O", "O–O", "Ba–Ti", "Ba–O", "Ba–Ba"]
    drawn = sum(len(dots.get_offsets()) for dots in environments.collections)
    assert drawn == dataset.n_atoms
    assert "%" in environments.get_xlabel()


def test_the_number_beside_a_pair_is_its_closest_contact():
    dataset = data()
    row = dataset.summary()
    contacts = plot_coverage(dataset).axes[2]
    shown = [float(text.get_text()) for text in contacts.texts]
    assert shown[1] == pytest.approx(row["closest_O_Ti_A"].min(), abs=0.005)


def test_features_of_the_callers_own():
    dataset = data()
    figure = plot_coverage(dataset, features=np.random.default_rng(1).random((dataset.n_atoms, 4)))
    assert len(figure.axes) == 4
    with pytest.raises(DataError, match=f"expected a row for each of {dataset.n_atoms} atoms, got 3"):
        plot_coverage(dataset, features=np.zeros((3, 4)))
    with pytest.raises(DataError, match="expected frames to draw"):
        plot_coverage(DataSet(()))
