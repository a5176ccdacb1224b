"""Activation energies of compositions, known and predicted."""

import numpy as np
import pytest

from tammann.diffusivity.activation import activation_energies, activation_errors
from tammann.diffusivity.validation import fold_numbers
from tammann.errors import DataError

from .made_up_table import FORMULAS, made_up_table


def test_activation_energies():
    table = made_up_table()
    flat = made_up_table(temperatures=(1000.0, 2000.0))
    found = activation_energies(table)
    assert set(found) == set(FORMULAS) and activation_energies(flat) == {}
    assert np.mean([energy for energy, _ in found.values()]) == pytest.approx(0.33, abs=0.03)
    # the error of a slope from the scatter about the line, by the textbook
    rows = [k for k, formula in enumerate(table.formulas) if formula == "Li2O"]
    x, y = 1.0 / (8.617333262e-5 * table.temperatures_K[rows]), table.ln_D[rows]
    slope, intercept = np.polyfit(x, y, 1)
    scatter = np.sum((y - slope * x - intercept) ** 2) / (len(x) - 2)
    assert found["Li2O"] == pytest.approx((-slope, np.sqrt(scatter / np.sum((x - x.mean()) ** 2))), rel=1e-6)
    errors = activation_errors(table, table.ln_D)
    assert errors.known_stderr_eV[errors.formulas.index("Li2O")] == pytest.approx(found["Li2O"][1])
    # a constant that had seen its own composition would be nearer: it leaves the whole fold out
    mean = np.mean([energy for energy, _ in found.values()])
    alone = {errors.formulas[k]: errors.constant_eV[k] for k in range(20)}
    numbers = fold_numbers(table, folds=5, seed=0)
    for formula, constant in alone.items():
        mine = numbers[table.formulas.index(formula)]
        left = [e for other, (e, _) in found.items() if numbers[table.formulas.index(other)] != mine]
        assert constant == pytest.approx(np.mean(left)) and constant != pytest.approx(mean, rel=1e-12)
    assert errors.mae_eV == 0.0 and errors.constant_mae_eV > 0.0 and len(errors.table()) == 20
    with pytest.raises(DataError, match="3 temperatures"):
        activation_errors(flat, flat.ln_D)
