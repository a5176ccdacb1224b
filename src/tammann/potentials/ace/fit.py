"""Fits of linear atomic cluster expansions to labelled frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from tammann.errors import DataError
from tammann.potentials.ace.basis import AceBasis, make_basis
from tammann.potentials.ace.model import AceModel, Radii
from tammann.potentials.ace.moments import Moments, compute_moments
from tammann.potentials.dataset import DataSet, split
from tammann.potentials.extrapolation import make_active_set
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.structures.contacts import closest_contacts

HELD = 0.1
"""Least column of forces by which a coefficient is held, in units of the usual one (both squared)."""
FEEBLE = 1e-8
"""Columns below this part of the largest do not count to the usual ones (squared)."""


@dataclass(frozen=True)
class AceSettings:
    """How an expansion is made and fitted.

    Attributes:
        cutoff_A: Å.
        degrees: Largest total degree for one, two, three and four factors; see ``make_basis``.
        l_weight: Weight of l in the degree.
        solver: ``ridge``: the minimum of the loss by one factorisation, weights from the residuals; ``ladder``:
            functions of few factors first, by conjugate gradients that end where the error on validation frames does.
        validation_fraction: Share of the training trajectories that choose the penalty of ``ridge``, which then fits
            all, or end the rungs of ``ladder``.
        l2: Strengths of the penalty that ``ridge`` tries; ``ladder`` takes the smallest.
        smoothness: Power of the degree in the penalty: fast varying functions cost more.
        energy_scale_eV_per_atom: A frame whose energy lies dE above the lowest weighs 1 / (1 + (dE / scale)^2), so that
            cells far above anything that a melt visits do not spoil it.
        force_weights: Share of forces in the loss of ``ladder``, stage after stage; the rest is that of energies.
        virial_share: Share of virials, of what is left for energies and virials together, in ``ladder``.
        iterations: Iterations of each stage of ``ladder``.
        patience: Iterations without a lower error after which a rung of ``ladder`` ends.
        active_set: Whether the environments for extrapolation grades are chosen.
        thresholds: Grades above which a configuration is collected and a run is stopped.

    Raises:
        DataError: A value of the wrong kind or out of range.

    Example:
        >>> AceSettings(degrees=(10, 7)).solver
        'ridge'
    """

    cutoff_A: float = 5.5
    degrees: tuple[float, ...] = (12.0, 8.0, 7.0)
    l_weight: float = 1.0
    solver: Literal["ridge", "ladder"] = "ridge"
    validation_fraction: float = 0.15
    l2: tuple[float, ...] = (1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3)
    smoothness: float = 4.0
    energy_scale_eV_per_atom: float = 0.5
    force_weights: tuple[float, ...] = (0.99, 0.90)
    virial_share: float = 0.5
    iterations: int = 2000
    patience: int = 200
    active_set: bool = True
    thresholds: tuple[float, float] = (5.0, 100.0)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("cutoff_A", 1.0, 20.0), ("l_weight", 0.1, 10.0), ("validation_fraction", 0.01, 0.5),
            ("smoothness", 0.0, 12.0), ("energy_scale_eV_per_atom", 1e-3, 1e6), ("virial_share", 0.0, 1.0),
            ("iterations", 1, 10**6),
            ("patience", 1, 10**6),
        ):  # fmt: skip
            _check_number(name, getattr(self, name), low, high)
        for name, low, high in (("degrees", 1.0, 40.0), ("l2", 0.0, 1e3), ("force_weights", 0.0, 1.0)):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values:
                raise DataError(f"{name}: expected a list of one or more numbers, got {values!r}.")
            for value in values:
                _check_number(name, value, low, high)
        if len(self.degrees) > 4:
            raise DataError(f"degrees: expected one to four numbers, got {len(self.degrees)}.")
        if self.solver not in ("ridge", "ladder"):
            raise DataError(f"solver: expected ridge or ladder, got {self.solver!r}.")
        if not isinstance(self.thresholds, tuple) or len(self.thresholds) != 2:
            raise DataError(f"thresholds: expected two grades, such as [5, 100], got {self.thresholds!r}.")
        for value in self.thresholds:
            _check_number("thresholds", value, 1e-3, 1e12)
        if not self.thresholds[0] < self.thresholds[1]:
            raise DataError(f"thresholds: expected the smaller grade first, got {self.thresholds!r}.")


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise DataError(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}.")


@dataclass(frozen=True, eq=False)
class AceFit:
    """A fitted expansion.

    Attributes:
        model: The potential.
        errors: Root mean square errors of energy (eV/atom), force (eV/Å) and virial (eV/atom) on the training frames
            and on the test frames, which chose nothing; one row each, no frame weighted.
        history: For each penalty or each check of the ladder the errors on the validation frames.
        fitted: Sums of squares of the training data but for the validation frames; those of new frames can be added.
        validation: The same of the validation frames.
        data: The training frames.
        test: The test frames.
        empty: The model without coefficients over which the sums were computed.
        lowest_eV_per_atom: Lowest energy of the first training data above the reference energies of its atoms.
        notes: What a user should know, in sentences.
    """

    model: AceModel
    errors: pd.DataFrame
    history: pd.DataFrame
    fitted: Moments
    validation: Moments
    data: DataSet
    test: DataSet
    empty: AceModel
    lowest_eV_per_atom: float
    notes: tuple[str, ...]


def train_ace(
    train: DataSet,
    test: DataSet,
    settings: AceSettings | None = None,
    *,
    start: AceFit | None = None,
    rng: np.random.Generator | int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> AceFit:
    """Fit a linear atomic cluster expansion over a repulsive pair potential.

    Lengths and reference energies come from the training data. With ``start``, a fit with the same basis, they stay
    as they are there and only the frames that it lacks are worked through: ``train`` then holds the new frames alone.

    Args:
        train: Labelled frames.
        test: Labelled frames of other trajectories, for the errors.
        settings: See ``AceSettings``.
        start: A former fit that is to be extended.
        rng: Which trajectories are for validation.
        progress: Called with a word and the done fraction.

    Raises:
        DataError: No frame to train on or to test on, no forces, no neighbours within the cutoff, an element that only
            the test frames have, or settings that do not fit the fit to be extended.
    """
    settings = settings or AceSettings()
    tell = progress or (lambda *_: None)
    if not len(test):
        raise DataError("test: expected at least one labelled frame; split by trajectory leaves some.")
    if start is None and not len(train):
        raise DataError("train: expected at least one labelled frame, got none.")
    notes: list[str] = []
    if start is None:
        empty, note = _empty_model(train, settings)
        above = _above_reference(train, empty)
        lowest = float(np.nanmin(above)) if np.isfinite(above).any() else 0.0
        notes += [note] if note else []
    else:
        _check_start(start, settings)
        empty, lowest, notes = start.empty, start.lowest_eV_per_atom, list(start.notes)
    for frame in test:
        empty.species(frame.configuration.symbols)
    parts, alone = _divide(train, settings.validation_fraction, rng)
    sums = []
    for what, part in zip(("training data", "validation data"), parts, strict=True):
        weights = _weights(_above_reference(part, empty) - lowest, settings)
        sums.append(compute_moments(part, empty, weights=weights, progress=partial(tell, what)))
    fitted, validation = sums
    if start is not None:
        fitted, validation = start.fitted + fitted, start.validation + validation
    elif alone:
        notes.append("all training frames are of one trajectory, so they choose their own penalty")
        validation = fitted
    if not fitted.force.rows:
        raise DataError("train: expected frames with forces; label them first.")
    if not np.diag(fitted.force.gram).any():
        raise DataError(f"cutoff_A: no atom has a neighbour within {settings.cutoff_A:g} Å; take a larger one.")
    if settings.solver == "ridge":
        coefficients, history, note = solve_ridge(empty.basis, fitted, validation, settings, tell)
        notes += [note] if note else []
    else:
        coefficients, history = climb_ladder(empty.basis, fitted, validation, settings, tell)
    model = _with_coefficients(empty, coefficients)
    data = train if start is None else start.data + train
    errors = pd.DataFrame.from_dict(
        {"train": errors_on(data, model), "test": errors_on(test, model)}, orient="index", columns=list(_NAMES)
    ).rename_axis("data")
    if settings.active_set:
        tell("active set", 0.0)
        environments = zip(fitted.environments, validation.environments, strict=True)
        sets = tuple(make_active_set(np.concatenate(two), thresholds=settings.thresholds) for two in environments)
        model = replace(model, active_sets=sets)
    provenance = {
        "settings": _plain(settings),
        "frames": {"train": len(data), "test": len(test)},
        "errors": errors.reset_index().to_dict("records"),
        "labels": sorted({frame.label.method for frame in data if frame.label}),
        "notes": notes,
    }
    model = replace(model, provenance=provenance)
    return AceFit(model, errors, history, fitted, validation, data, test, empty, lowest, tuple(notes))


def errors_on(data: DataSet, model: AceModel) -> list[float]:
    """Return root mean square errors of energy (eV/atom), force (eV/Å) and virial (eV/atom), nan without labels."""
    squares: tuple[list[float], list[np.ndarray], list[np.ndarray]] = ([], [], [])
    for frame in data:
        atoms = frame.configuration
        found = model.single(atoms.symbols, atoms.positions_A, atoms.cell_A, functions=False)
        n = frame.n_atoms
        if frame.energy_eV is not None:
            squares[0].append(((found.energies_eV.sum() - frame.energy_eV) / n) ** 2)
        if frame.forces_eV_per_A is not None:
            squares[1].append((found.forces_eV_per_A - frame.forces_eV_per_A).ravel() ** 2)
        if frame.stress_eV_per_A3 is not None:
            virial = frame.stress_eV_per_A3 * atoms.volume_A3
            rest = 0.5 * (found.virial_eV + found.virial_eV.T) - 0.5 * (virial + virial.T)
            squares[2].append((rest.ravel()[[0, 4, 8, 5, 2, 1]] / n) ** 2)
    return [float(np.sqrt(np.mean(np.hstack(each)))) if each else float("nan") for each in squares]


def _divide(data: DataSet, fraction: float, rng: np.random.Generator | int) -> tuple[tuple[DataSet, DataSet], bool]:
    """Return frames to fit and frames of other trajectories to choose by, and whether there was only one trajectory."""
    if len({frame.trajectory for frame in data}) < 2:
        return (data, DataSet(())), True
    return split(data, "trajectory", fraction, rng), False


def _check_start(start: AceFit, settings: AceSettings) -> None:
    former = start.model.provenance["settings"]
    for key in ("cutoff_A", "degrees", "l_weight"):
        now = getattr(settings, key)
        if former[key] != now:
            raise DataError(f"start: was fitted with {key} {former[key]}, not {now}; keep it, or fit anew.")


def solve_ridge(
    basis: AceBasis, train: Moments, validation: Moments, settings: AceSettings, tell: Callable[[str, float], None]
) -> tuple[np.ndarray, pd.DataFrame, str]:
    """Return the minimum of sum_q |A_q c - y_q|^2 / sigma_q^2 + lambda / sigma_F^2 sum_k d_k^p |a_k|^2 c_k^2.

    Energies, forces and virials q are weighted by their own residuals sigma_q, in a few rounds, as maximum likelihood
    wants it; d_k is the degree of function k, p the ``smoothness`` and a_k the column of forces that it gives. The
    validation frames choose lambda: the one under which they are most likely, sum_q n_q log(rmse_q) smallest with n_q
    numbers each. The fit is then made again with them.
    """
    penalty = _penalty(basis, train, settings.smoothness)
    quantities = (validation.energy, validation.force, validation.virial)
    floor = np.array([1e-6 * np.sqrt(q.squares / q.rows) if q.rows else np.nan for q in quantities])
    counts = np.array([q.rows for q in quantities], dtype=float)
    rows, scores = [], []
    for number, strength in enumerate(settings.l2):
        c = _reweighted(train, strength * penalty)
        held = np.array([q.rmse(c) for q in quantities])
        rows.append({"l2": strength, **dict(zip(_NAMES, held, strict=True))})
        # an error that vanishes by symmetry is rounding, and chooses nothing
        scores.append(float(np.nansum(counts * np.log(np.maximum(held, floor) + 1e-300))))
        tell("penalty", (number + 1) / len(settings.l2))
    best = int(np.argmin(scores))
    note = ""
    if len(settings.l2) > 1 and best == len(settings.l2) - 1:
        note = f"the largest penalty tried, l2 = {settings.l2[best]:g}, is the best; label more, or try larger ones"
    whole = train if validation is train else train + validation
    return _reweighted(whole, settings.l2[best] * _penalty(basis, whole, settings.smoothness)), pd.DataFrame(rows), note


def _reweighted(moments: Moments, penalty: np.ndarray) -> np.ndarray:
    sigma = np.array([0.01, 0.3, 0.03])
    for _ in range(3):
        c = _solve(moments, 1.0 / sigma**2, penalty)
        found = np.array([q.rmse(c) for q in (moments.energy, moments.force, moments.virial)])
        sigma = np.where(np.isfinite(found), np.maximum(found, 1e-4), sigma)
    return c


def climb_ladder(
    basis: AceBasis, train: Moments, validation: Moments, settings: AceSettings, tell: Callable[[str, float], None]
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return coefficients fitted rung by rung: functions of one factor first, then of two and so on.

    On each rung conjugate gradients minimise (1 - k) [ (1 - v) E + v V ] + k F + lambda |Gamma c|^2, with E, F, V mean
    squared residuals, from the coefficients of the rung below; they end when the validation loss has not fallen for
    ``patience`` iterations. Stages with other force weights k follow on the whole basis.

    Reference:
        Bochkarev et al., Phys. Rev. Mater. 2022, 6, 013804, doi 10.1103/PhysRevMaterials.6.013804.
    """
    s = len(basis.elements)
    orders = np.concatenate([np.tile(basis.function_orders, s), np.zeros(s, dtype=int)])
    # of mean squares here, so that more data do not mean more penalty
    penalty = min(settings.l2) * _penalty(basis, train, settings.smoothness) / train.force.rows
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
            if iteration % 10 == 9 or iteration == settings.iterations - 1:
                whole = np.zeros(len(orders))
                whole[active] = x
                held = [q.rmse(whole) for q in (validation.energy, validation.force, validation.virial)]
                loss = float(np.nansum(_shares(weight, settings.virial_share, validation) * np.square(held)))
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
    """Return d_k^p |a_k|^2 for every coefficient, in units of the sum of squared forces.

    A function that gives next to no force, as those of a pair that only just comes within the cutoff, is held as if it
    gave more: measured by itself alone, its coefficient would be fitted to the errors of all others, and whatever
    excites it in earnest would meet a huge force.
    """
    s = len(basis.elements)
    degrees = np.concatenate([np.tile(basis.degrees, s), np.ones(s)])
    column = np.diag(train.force.gram)
    # reference energies give no force; they are held loosely, and a function that gives none is kept at zero
    size = np.concatenate([column[:-s], np.full(s, column[:-s].max() * 1e-6)])
    counting = size[:-s][size[:-s] > FEEBLE * size[:-s].max()]
    floor = HELD * np.median(counting) if len(counting) else 0.0
    return np.asarray(np.maximum(size, np.append(np.full(len(size) - s, floor), size[-s:])) * degrees**smoothness)


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


def _empty_model(train: DataSet, settings: AceSettings) -> tuple[AceModel, str]:
    """Return basis, lengths and reference energies of some data, with coefficients of zero, and a note on the last."""
    elements = train.elements
    basis = make_basis(elements, settings.degrees, l_weight=settings.l_weight)
    reference = fit_reference_energies(train, elements)
    closest, usual = shortest_distances(train, elements, settings.cutoff_A)
    inner = closest - 0.5
    radii = Radii(
        cutoff=settings.cutoff_A,
        scales=1.1 * usual,
        inner=inner,
        width=0.5,
        repulsion_starts=inner,
        # beyond the closest contact, so that the rare ones between the two do not have to carry all of the repulsion
        repulsion_ends=usual,
    )
    return AceModel(basis, radii, np.zeros((len(elements), len(basis))), reference.energies_eV), reference.note


def shortest_distances(data: DataSet, elements: tuple[str, ...], cutoff_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the shortest distance of each pair of elements in a data set, and the median of those of its frames.

    Pairs that never come within 0.8 times the cutoff have that. Both have shape (S, S), Å.
    """
    far = 0.8 * cutoff_A
    place = {symbol: k for k, symbol in enumerate(elements)}
    each: dict[tuple[int, int], list[float]] = {}
    for frame in data:
        for (first, second), distance in closest_contacts(frame.configuration).items():
            if distance < far:
                each.setdefault((place[first], place[second]), []).append(distance)
    closest, usual = np.full((2, len(elements), len(elements)), far)
    for (i, j), found in each.items():
        closest[i, j] = closest[j, i] = min(found)
        usual[i, j] = usual[j, i] = float(np.median(found))
    return closest, usual


def _with_coefficients(empty: AceModel, coefficients: np.ndarray) -> AceModel:
    s, k = empty.coefficients.shape
    return replace(
        empty,
        coefficients=coefficients[: s * k].reshape(s, k),
        reference_energies_eV=empty.reference_energies_eV + coefficients[s * k :],
    )


def _plain(settings: AceSettings) -> Mapping[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}
