import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.structures import Configuration


def frame(symbols, energy):
    return Frame(Configuration(tuple(symbols), np.arange(3.0 * len(symbols)).reshape(-1, 3), 20 * np.eye(3)), energy)


def test_energies_put_in_come_out():
    true = {"Ba": -2.0, "Ti": -8.0, "O": -5.0}
    cells = [["Ba", "O"], ["Ti", "O", "O"], ["Ba", "Ti"], ["O", "O"]]
    found = fit_reference_energies(DataSet(tuple(frame(c, sum(true[s] for s in c)) for c in cells)), list(true))
    np.testing.assert_allclose(found.energies_eV, list(true.values()))
    assert found.rank == 3 and not found.note


def test_a_line_of_compositions_is_said_to_be_undetermined_and_solved():
    # BaO to TiO2: two numbers for three elements
    cells = [["Ba", "O"] * a + ["Ti", "O", "O"] * b for a, b in ((1, 0), (1, 1), (1, 2), (0, 1))]
    energies = [-14.0 * c.count("Ba") - 27.0 * c.count("Ti") for c in cells]
    found = fit_reference_energies(
        DataSet(tuple(frame(c, e) for c, e in zip(cells, energies, strict=True))), ["Ba", "Ti", "O"]
    )
    assert found.rank == 2 and "2 of 3" in found.note
    ba, ti, o = found.energies_eV
    assert ba + o == pytest.approx(-14.0) and ti + 2 * o == pytest.approx(-27.0)
    # the choice of smallest norm is orthogonal to what the compositions do not see, (1, 2, -1)
    assert ba + 2 * ti - o == pytest.approx(0.0, abs=1e-6)


def test_no_energies_are_refused():
    with pytest.raises(DataError, match="energy"):
        fit_reference_energies(DataSet((frame(["O"], None),)), ["O"])


def test_determined_elements_are_named():
    # BaO and BaO2: both elements are determined; with MgO and MgO2 tied to nothing else, all are
    cells = [["Ba", "O"], ["Ba", "O", "O"]]
    assert fit_reference_energies(DataSet(tuple(frame(c, -10.0) for c in cells))).determined == ("Ba", "O")
    # one more element only together with titanium: Ba and O stay determined, Sr and Ti are not
    cells.append(["Sr", "Ti", "O", "O", "O"])
    found = fit_reference_energies(DataSet(tuple(frame(c, -10.0) for c in cells)))
    assert (found.rank, found.determined) == (3, ("Ba", "O")) and "3 of 4" in found.note


def test_what_a_model_lacks_is_fitted_to_the_difference():
    cells = [["Li"] * 6 + ["Y"] * 2 + ["Cl"] * 12] * 2
    labelled = DataSet(tuple(frame(c, -86.0) for c in cells))
    found = fit_reference_energies(labelled, predicted=DataSet(tuple(frame(c, -94.0) for c in cells)))
    # one composition: 8 eV for 6 Li, 2 Y, 12 Cl, shared out in proportion to their numbers
    assert found.by_element == pytest.approx({"Li": 48 / 184, "Y": 16 / 184, "Cl": 96 / 184})
    assert (found.rank, found.determined) == (1, ())
