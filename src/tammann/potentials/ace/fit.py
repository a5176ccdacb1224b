"""Fits of linear atomic cluster expansions to labelled frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from tammann.errors import DataError
from tammann.potentials.ace.basis import AceBasis, make_basis
from tammann.potentials.ace.model import AceModel, Radii
from tammann.potentials.ace.moments import Moments, compute_moments
from tammann.potentials.dataset import DataSet
from tammann.potentials.extrapolation import make_active_set
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.structures.contacts import closest_contacts


@dataclass(frozen=True)
class AceSettings:
    """How an expansion is made and fitted.

    Attributes:
        cutoff_A: Å.
        degrees: Largest total degree for one, two, three and four factors; see ``make_basis``.
        l_weight: Weight of l in the degree.
        solver: ``ridge``: the minimum of the loss by one factorisation, weights from the residuals; ``ladder``:
            functions of few factors first, by conjugate gradients that end where the test error does.
        force_weights: Share of forces in the loss of ``ladder``, stage after stage; the rest is that of energies.
        virial_share: Share of virials, of what is left for energies and virials together, in ``ladder``.
        iterations: Iterations of each stage of ``ladder``.
        patience: Iterations without a lower test error after which a rung ends.
        l2: Strengths of the penalty that are tried; the one with the lowest test error is kept.
        smoothness: Power of the degree in the penalty: fast varying functions cost more.
        energy_scale_eV_per_atom: A frame whose energy lies dE above the lowest weighs 1 / (1 + (dE / scale)^2), so that
            cells far above anything that a melt visits do not spoil it.
        active_set: Whether the environments for extrapolation grades are chosen.
        thresholds: Grades above which a configuration is collected and a run is stopped.
    """

    cutoff_A: float = 5.5
    degrees: tuple[float, ...] = (12.0, 8.0, 7.0)
    l_weight: float = 1.0
    solver: Literal["ridge", "ladder"] = "ridge"
    force_weights: tuple[float, ...] = (0.99, 0.90)
    virial_share: float = 0.5
    iterations: int = 2000
    patience: int = 200
    l2: tuple[float, ...] = (1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3)
    smoothness: float = 4.0
    energy_scale_eV_per_atom: float = 0.5
    active_set: bool = True
    thresholds: tuple[float, float] = (5.0, 100.0)


@dataclass(frozen=True, eq=False)
class AceFit:
    """A fitted expansion.

    Attributes:
        model: The potential.
        errors: Root mean square errors of energy (eV/atom), force (eV/Å) and virial (eV/atom), one row for the training
            data, weighted as in the fit, and one for the test data, not weighted.
        history: For each penalty or each check of the ladder the errors at that point.
        train: Sums of squares of the training data, to which those of new frames can be added.
        test: The same of the test data.
        empty: The model without coefficients over which they were computed.
        lowest_eV_per_atom: Lowest energy of the training data above the reference energies of its atoms.
    """

    model: AceModel
    errors: pd.DataFrame
    history: pd.DataFrame
    train: Moments
    test: Moments
    empty: AceModel
    lowest_eV_per_atom: float


def train_ace(
    train: DataSet,
    test: DataSet,
    settings: AceSettings | None = None,
    *,
    start: AceFit | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> AceFit:
    """Fit a linear atomic cluster expansion over a repulsive pair potential.

    Lengths and reference energies come from the training data. With ``start``, a fit with the same settings, they stay
    as they are there and only the frames that it lacks are worked through: ``train`` then holds the new frames alone.

    Args:
        train: Labelled frames.
        test: Labelled frames of other trajectories, which choose the penalty or end the iterations.
        settings: See ``AceSettings``.
        start: A former fit that is to be extended.
        progress: Called with a word and the done fraction.

    Raises:
        DataError: No frame with forces, no test data, or too few data for an active set.
    """
    settings = settings or AceSettings()
    tell = progress or (lambda *_: None)
    if start is None:
        if not len(test):
            raise DataError("test: expected at least one labelled frame; split by trajectory leaves some.")
        empty = _empty_model(train, settings)
        above = _above_reference(train, empty)
        lowest = float(np.nanmin(above)) if np.isfinite(above).any() else 0.0
        weights = _weights(above - lowest, settings)
        moments = compute_moments(train, empty, weights=weights, progress=lambda f: tell("training data", f))
        held_out = compute_moments(test, empty, progress=lambda f: tell("test data", f))
    else:
        empty, lowest, moments = start.empty, start.lowest_eV_per_atom, start.train
        if len(train):
            weights = _weights(_above_reference(train, empty) - lowest, settings)
            moments = moments + compute_moments(
                train, empty, weights=weights, progress=lambda f: tell("training data", f)
            )
        held_out = start.test
    if not moments.force.rows:
        raise DataError("train: expected frames with forces; label them first.")
    solve = solve_ridge if settings.solver == "ridge" else climb_ladder
    coefficients, history = solve(empty.basis, moments, held_out, settings, tell)
    model = _with_coefficients(empty, coefficients)
    errors = _errors(coefficients, moments, held_out)
    if settings.active_set:
        tell("active set", 0.0)
        sets = tuple(make_active_set(rows, thresholds=settings.thresholds) for rows in moments.environments)
        model = replace(model, active_sets=sets)
    provenance = {
        "settings": _plain(settings),
        "frames": {
            "train": len(train) + (start.model.provenance["frames"]["train"] if start else 0),
            "test": round(held_out.energy.rows),
        },
        "errors": errors.reset_index().to_dict("records"),
        "labels": sorted({frame.label.method for frame in train if frame.label} | _labels_of(start)),
    }
    return AceFit(replace(model, provenance=provenance), errors, history, moments, held_out, empty, lowest)


def solve_ridge(
    basis: AceBasis, train: Moments, test: Moments, settings: AceSettings, tell: Callable[[str, float], None]
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the minimum of sum_q |A_q c - y_q|^2 / sigma_q^2 + lambda |Gamma c|^2 for the best lambda on test data.

    Energies, forces and virials are weighted by their own residuals sigma_q, in a few rounds, as maximum likelihood
    wants it; Gamma is the degree of a function to the power ``smoothness`` over the root mean square of its column.
    """
    penalty = _penalty(basis, train, settings.smoothness)
    best: tuple[float, np.ndarray] | None = None
    rows = []
    for number, strength in enumerate(settings.l2):
        sigma = np.array([0.01, 0.3, 0.03])
        for _ in range(3):
            c = _solve(train, 1.0 / sigma**2, strength * penalty)
            found = np.array([q.rmse(c) for q in (train.energy, train.force, train.virial)])
            sigma = np.where(np.isfinite(found), np.maximum(found, 1e-4), sigma)
        held = np.array([q.rmse(c) for q in (test.energy, test.force, test.virial)])
        loss = float(np.nansum((held / sigma) ** 2))
        rows.append({"l2": strength, **dict(zip(_NAMES, held, strict=True)), "loss": loss})
        # losses of different penalties are compared in the same unit: the errors themselves
        score = float(np.nansum(np.log(np.maximum(held, 1e-12))))
        if best is None or score < best[0]:
            best = (score, c)
        tell("penalty", (number + 1) / len(settings.l2))
    assert best is not None
    return best[1], pd.DataFrame(rows)


def climb_ladder(
    basis: AceBasis, train: Moments, test: Moments, settings: AceSettings, tell: Callable[[str, float], None]
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return coefficients fitted rung by rung: functions of one factor first, then of two and so on.

    On each rung conjugate gradients minimise (1 - k) [ (1 - v) E + v V ] + k F + lambda |Gamma c|^2, with E, F, V mean
    squared residuals, from the coefficients of the rung below; they end when the test loss has not fallen for
    ``patience`` iterations. Stages with other force weights k follow on the whole basis.

    Reference:
        Bochkarev et al., Phys. Rev. Mater. 2022, 6, 013804, doi 10.1103/PhysRevMaterials.6.013804.
    """
    s = len(basis.elements)
    orders = np.concatenate([np.tile(basis.function_orders, s), np.zeros(s, dtype=int)])
    penalty = settings.l2[0] * _penalty(basis, train, settings.smoothness)
    c = np.zeros(len(orders))
    rows: list[dict[str, Any]] = []
    stages = [(settings.force_weights[0], order) for order in range(1, int(orders.max()) + 1)]
    stages += [(weight, int(orders.max())) for weight in settings.force_weights[1:]]
    for number, (weight, order) in enumerate(stages):
        shares = _shares(weight, settings.virial_share, train)
        active = np.flatnonzero(orders <= order)
        gram, projection = _weighted(train, shares)
        gram = gram[np.ix_(active, active)] + np.diag(penalty[active])
        scale = 1.0 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
        x, best, waited = c[active].copy(), (np.inf, c[active].copy()), 0
        residual = projection[active] - gram @ x
        direction = scale**2 * residual
        power = float(residual @ direction)
        for iteration in range(settings.iterations):
            image = gram @ direction
            step = power / max(float(direction @ image), 1e-300)
            x += step * direction
            residual -= step * image
            conditioned = scale**2 * residual
            former, power = power, float(residual @ conditioned)
            direction = conditioned + power / max(former, 1e-300) * direction
            if iteration % 10 == 9:
                whole = np.zeros(len(orders))
                whole[active] = x
                held = [q.rmse(whole) for q in (test.energy, test.force, test.virial)]
                loss = float(np.nansum(_shares(weight, settings.virial_share, test) * np.square(held)))
                rows.append(
                    {"force_weight": weight, "factors": order, "iteration": iteration + 1,
                     **dict(zip(_NAMES, held, strict=True)), "loss": loss}
                )  # fmt: skip
                waited = 0 if loss < best[0] else waited + 10
                if loss < best[0]:
                    best = (loss, x.copy())
                if waited >= settings.patience:
                    break
        c = np.zeros(len(orders))
        c[active] = best[1]
        tell("ladder", (number + 1) / len(stages))
    return c, pd.DataFrame(rows)


_NAMES = ("energy_eV_per_atom", "force_eV_per_A", "virial_eV_per_atom")


def _shares(force: float, virial: float, moments: Moments) -> np.ndarray:
    """Return the weights of mean squares of energies, forces and virials."""
    rest = 1.0 - force
    return np.array([rest * (1.0 - virial if moments.virial.rows else 1.0), force, rest * virial])


def _weighted(moments: Moments, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gram, projection = np.zeros_like(moments.energy.gram), np.zeros_like(moments.energy.projection)
    for share, quantity in zip(shares, (moments.energy, moments.force, moments.virial), strict=True):
        if quantity.rows:
            gram += share / quantity.rows * quantity.gram
            projection += share / quantity.rows * quantity.projection
    return gram, projection


def _solve(moments: Moments, weights: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    parts = (moments.energy, moments.force, moments.virial)
    gram = sum((w * q.gram for w, q in zip(weights, parts, strict=True)), start=np.zeros_like(parts[0].gram))
    projection = sum((w * q.projection for w, q in zip(weights, parts, strict=True)), start=np.zeros(len(gram)))
    # columns of equal size, so that rounding means the same for all
    scale = 1.0 / np.sqrt(np.diag(gram) + penalty * weights[1])
    system = gram * scale[:, None] * scale[None, :]
    system[np.diag_indices_from(system)] += penalty * weights[1] * scale**2 + 1e-14
    return np.asarray(scale * cho_solve(cho_factor(system, lower=True), scale * projection))


def _penalty(basis: AceBasis, train: Moments, smoothness: float) -> np.ndarray:
    """Return Gamma^2 for every coefficient, in units of the sum of squared forces."""
    s = len(basis.elements)
    degrees = np.concatenate([np.tile(basis.degrees, s), np.ones(s)])
    column = np.diag(train.force.gram)
    # a function without any force on it is penalised like the strongest, not freed
    size = np.concatenate([column[:-s], np.full(s, column[:-s].max() * 1e-6)])
    floor = size[:-s].max() * 1e-12
    return np.asarray(np.maximum(size, floor) * degrees**smoothness)


def _above_reference(data: DataSet, empty: AceModel) -> np.ndarray:
    """Return the energy of each frame above that of its single atoms, eV/atom, nan without a label."""
    reference = dict(zip(empty.elements, empty.reference_energies_eV, strict=True))
    return np.array(
        [
            np.nan
            if frame.energy_eV is None
            else (frame.energy_eV - sum(reference[symbol] for symbol in frame.configuration.symbols)) / frame.n_atoms
            for frame in data
        ]
    )


def _weights(above_eV_per_atom: np.ndarray, settings: AceSettings) -> np.ndarray:
    """Return the weight of each frame; one below the lowest weighs 1, and so does one without an energy."""
    above = np.maximum(np.nan_to_num(above_eV_per_atom), 0.0)
    return np.asarray(1.0 / (1.0 + (above / settings.energy_scale_eV_per_atom) ** 2))


def _empty_model(train: DataSet, settings: AceSettings) -> AceModel:
    """Return basis, lengths and reference energies for some data, with coefficients of zero."""
    elements = train.elements
    basis = make_basis(elements, settings.degrees, l_weight=settings.l_weight)
    reference = fit_reference_energies(train, elements)
    closest = shortest_distances(train, elements, settings.cutoff_A)
    radii = Radii(
        cutoff=settings.cutoff_A,
        scales=1.25 * closest,
        inner=closest - 0.5,
        width=0.5,
        repulsion_starts=closest - 0.5,
        repulsion_ends=closest,
    )
    return AceModel(basis, radii, np.zeros((len(elements), len(basis))), reference.energies_eV)


def shortest_distances(data: DataSet, elements: tuple[str, ...], cutoff_A: float) -> np.ndarray:
    """Return the shortest distance of each pair of elements in a data set, shape (S, S), Å.

    Pairs that never come within 0.8 times the cutoff have that.
    """
    place = {symbol: k for k, symbol in enumerate(elements)}
    closest = np.full((len(elements), len(elements)), 0.8 * cutoff_A)
    for frame in data:
        for (first, second), distance in closest_contacts(frame.configuration).items():
            i, j = place[first], place[second]
            closest[i, j] = closest[j, i] = min(closest[i, j], distance)
    return closest


def _with_coefficients(empty: AceModel, coefficients: np.ndarray) -> AceModel:
    s, k = empty.coefficients.shape
    return replace(
        empty,
        coefficients=coefficients[: s * k].reshape(s, k),
        reference_energies_eV=empty.reference_energies_eV + coefficients[s * k :],
    )


def _errors(coefficients: np.ndarray, train: Moments, test: Moments) -> pd.DataFrame:
    rows = {
        name: [q.rmse(coefficients) for q in (part.energy, part.force, part.virial)]
        for name, part in (("train", train), ("test", test))
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_NAMES)).rename_axis("data")


def _labels_of(start: AceFit | None) -> set[str]:
    return set() if start is None else set(start.model.provenance.get("labels", ()))


def _plain(settings: AceSettings) -> Mapping[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}
