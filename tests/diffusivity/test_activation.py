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
    errors = activation_errors(table, table.ln_D)
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
