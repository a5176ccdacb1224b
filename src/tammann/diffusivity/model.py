"""A trained model: predictions with intervals, their distance from what it has seen, a file of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann._version import __version__
from tammann.diffusivity.activation import FEWEST, activation_energies
from tammann.diffusivity.applicability import Applicability
from tammann.diffusivity.elements import ElementValues
from tammann.diffusivity.features import named, structure_features
from tammann.diffusivity.models import law_of, make_model
from tammann.diffusivity.table import DiffusivityTable
from tammann.diffusivity.validation import cross_validate
from tammann.errors import DataError
from tammann.files import json_safe, read_json, write_text
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress
from tammann.structures import Configuration
from tammann.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    import pandas as pd

KIND = "tammann diffusivity model"
FEWEST_COMPOSITIONS = 10


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(ShownAsTable):
    """Predicted diffusivities of M structures.

    Attributes:
        formulas: Compositions, or other names.
        temperatures_K: Shape (M,), K.
        ln_D: Of D in m²/s, shape (M,).
        half_width: Of the interval of ln D, shape (M,); outside of the temperatures learned from with the error of the
            activation energy (``DiffusivityModel.extrapolation_half_width``).
        confidence: Of the interval.
        stderr: Standard error of ln D, shape (M,): the half-width at 68.3 %.
        distance: From the training set, in standard deviations of features, shape (M,).
        percentile: Share of the training rows that lie nearer to the rest of it, %, shape (M,).
        far: Whether that is beyond 95 %, shape (M,).
        far_distance: The distance beyond which it is.
        hot: Whether the temperature is outside of those learned from, below or above, shape (M,).
        Ea_stderr_eV: Root mean square error of activation energies of compositions not seen, eV; None where the
            training table has none.
    """

    formulas: tuple[str, ...]
    temperatures_K: np.ndarray
    ln_D: np.ndarray
    half_width: np.ndarray
    confidence: float
    stderr: np.ndarray
    distance: np.ndarray
    percentile: np.ndarray
    far: np.ndarray
    far_distance: float
    hot: np.ndarray
    Ea_stderr_eV: float | None = None

    @property
    def D_m2_per_s(self) -> np.ndarray:
        """Diffusivities, m²/s, shape (M,)."""
        return np.exp(self.ln_D)

    def activation_energies(self) -> dict[str, tuple[float, float]]:
        """Return the activation energy of each structure predicted at three temperatures or more, and its error, eV.

        The slope of ln D over 1/(kB T); its error is that of the model on compositions that it had not seen, not the
        scatter about the line, which a smooth prediction hides.
        """
        found = {}
        for formula in dict.fromkeys(self.formulas):
            rows = np.array([one == formula for one in self.formulas])
            T = self.temperatures_K[rows]
            if len(set(T.tolist())) >= FEWEST:
                slope = float(np.polyfit(1.0 / (BOLTZMANN_EV_PER_K * T), self.ln_D[rows], 1)[0])
                found[formula] = (-slope, np.nan if self.Ea_stderr_eV is None else self.Ea_stderr_eV)
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What to be careful about, one sentence each."""
        carried = (
            "whose activation energies have no known error, so that intervals there are too narrow"
            if self.Ea_stderr_eV is None
            else "with the error of the activation energy in their intervals"
        )
        found = []
        for what, mask in (
            (f"far, beyond the {self.far_distance:.3f} within which 95 % of the training rows have other compositions",
             self.far),
            (f"outside of the temperatures learned from, {carried}", self.hot),
        ):  # fmt: skip
            names = dict.fromkeys(f for f, is_so in zip(self.formulas, mask, strict=True) if is_so)
            if names:
                found.append(f"{int(mask.sum())} of {len(mask)} predictions are {what}: {', '.join(names)}.")
        return tuple(found)

    @property
    def marks(self) -> tuple[str, ...]:
        """``far``, ``temperature``, both or nothing for each structure."""
        pairs = zip(self.far.tolist(), self.hot.tolist(), strict=True)
        return tuple(", ".join(w for w, so in (("far", far), ("temperature", hot)) if so) for far, hot in pairs)

    def __repr__(self) -> str:
        return f"Prediction({len(self.formulas)} structures, {int(self.far.sum())} far from the training set)"

    def table(self) -> pd.DataFrame:
        """Return one row for each structure: D (m²/s), the ends of its interval, distance, whether it is far."""
        import pandas as pd

        return pd.DataFrame(
            {
                "formula": self.formulas,
                "temperature_K": self.temperatures_K,
                "D_m2_per_s": self.D_m2_per_s,
                "D_low_m2_per_s": np.exp(self.ln_D - self.half_width),
                "D_high_m2_per_s": np.exp(self.ln_D + self.half_width),
                "distance": self.distance,
                "percentile": self.percentile,
                "far": self.far,
                "outside_temperatures": self.hot,
            }
        )


@dataclass(frozen=True, eq=False, repr=False)
class DiffusivityModel:
    """A model of ln D fitted to a table, with what cross-validation says of its errors.

    Attributes:
        name: Of ``MODELS``.
        seed: Of what is drawn.
        training: The table.
        fitted: The estimator.
        residuals: ln D predicted less known of every training row by models that had not seen its composition,
            shape (N,).
        applicability: Distances from the training set.
        error_line: a and b of the expected |residual| = a + b d at a distance d, both 0 or more.
    """

    name: str
    seed: int
    training: DiffusivityTable
    fitted: Any
    residuals: np.ndarray
    applicability: Applicability
    error_line: tuple[float, float]
    _own_distance: np.ndarray = field(repr=False)

    def __repr__(self) -> str:
        rmse = float(np.sqrt(np.mean(self.residuals**2)))
        return f"DiffusivityModel({self.name}, {self.training!r}, RMSE of ln D {rmse:.3f} on unseen compositions)"

    @property
    def ion(self) -> str:
        """The mobile ion."""
        return self.training.ion

    @cached_property
    def Ea_stderr_eV(self) -> float | None:
        """Root mean square error of activation energies of compositions not seen, eV; None where the table has none."""
        known = activation_energies(self.training)
        guess = activation_energies(self.training, self.training.ln_D + self.residuals)
        if not known:
            return None
        return float(np.sqrt(np.mean([(guess[formula][0] - known[formula][0]) ** 2 for formula in known])))

    @property
    def law(self) -> str | None:
        """The symbolic law of ln D (m²/s) as text, or None where the model has none."""
        law = law_of(self.fitted)
        return None if law is None else str(law)

    def half_width(self, distance: np.ndarray, *, confidence: float = 0.9) -> np.ndarray:
        """Return the half-width of the interval of ln D at distances from the training set, shape (M,).

        The residuals of the training rows, each from a model that had not seen its composition, are divided by the
        error expected at their distance; the quantile of that, times the error expected here, is the half-width
        (split conformal prediction). Intervals so cover the stated share of compositions like those of the table.

        Raises:
            DataError: A confidence outside 0 to 1, or beyond n/(n + 1) of n compositions, which their errors cannot
                tell.

        Reference:
            Lei et al., J. Am. Stat. Assoc. 2018, 113, 1094, doi 10.1080/01621459.2017.1307116.
        """
        if not 0.0 < confidence < 1.0:
            raise DataError(f"confidence: expected a number between 0 and 1, such as 0.9, got {confidence}.")
        # rows of one composition err together, so compositions count, not rows
        n = int(self.training.groups.max()) + 1
        if confidence * (n + 1) > n:  # one more composition lies beyond all n others with 1/(n + 1)
            raise DataError(
                f"confidence: expected at most {n / (n + 1):.3f} with {n} compositions to learn from, got {confidence}."
            )
        ratio = np.abs(self.residuals) / self._expected(self._own_distance)
        return np.quantile(ratio, confidence * (n + 1) / n) * self._expected(distance)

    def extrapolation_half_width(self, temperatures_K: np.ndarray, *, confidence: float = 0.9) -> np.ndarray:
        """Return what the error of the activation energy adds to half-widths of ln D beyond the training, shape (M,).

        z SE(Ea) |1/(kB T) - 1/(kB T_edge)|, to be added in quadrature, with T_edge the nearest temperature of the
        training table, SE(Ea) ``Ea_stderr_eV`` and z the normal quantile of the confidence. It is zero between the
        lowest and the highest temperature of the table, and everywhere where the table has no activation energies.
        """
        T, known = np.asarray(temperatures_K, dtype=float), self.training.temperatures_K
        edge = np.clip(T, known.min(), known.max())
        beyond = np.abs(1.0 / T - 1.0 / edge) / BOLTZMANN_EV_PER_K
        return NormalDist().inv_cdf(0.5 + confidence / 2.0) * (self.Ea_stderr_eV or 0.0) * beyond

    def _expected(self, distance: np.ndarray) -> np.ndarray:
        return self.error_line[0] + self.error_line[1] * np.asarray(distance)

    def predict(
        self, features: np.ndarray, *, formulas: Sequence[str] | None = None, confidence: float = 0.9
    ) -> Prediction:
        """Predict diffusivities from features in the order of ``training.names``, shape (M, F).

        Raises:
            DataError: Features of another shape, or not finite; a confidence that ``half_width`` refuses.
        """
        X = np.atleast_2d(np.asarray(features, dtype=float))
        if X.ndim != 2 or X.shape[1] != len(self.training.names):
            raise DataError(f"features: expected {len(self.training.names)} columns, got the shape {X.shape}.")
        if not np.isfinite(X).all():
            missing = self.training.names[int(np.argwhere(~np.isfinite(X))[0][1])]
            raise DataError(f"features: expected a number for {missing} of every structure, got none.")
        distance = self.applicability.distance(X)
        T, known = X[:, self.training.names.index("temperature_K")], self.training.temperatures_K

        def half_width(share: float) -> np.ndarray:
            inside, beyond = self.half_width, self.extrapolation_half_width
            return np.hypot(inside(distance, confidence=share), beyond(T, confidence=share))

        return Prediction(
            formulas=tuple(formulas) if formulas is not None else tuple(f"row {k + 1}" for k in range(len(X))),
            temperatures_K=T,
            ln_D=np.asarray(self.fitted.predict(X), dtype=float),
            half_width=half_width(confidence),
            confidence=confidence,
            stderr=half_width(0.683),
            distance=distance,
            percentile=self.applicability.percentile(distance),
            far=self.applicability.is_far(distance),
            far_distance=self.applicability.far_distance,
            hot=(known.min() * (1 - 1e-9) > T) | (known.max() * (1 + 1e-9) < T),
            Ea_stderr_eV=self.Ea_stderr_eV,
        )

    def features(
        self, structures: Mapping[str, Configuration | Sequence[Configuration]], temperatures_K: Sequence[float]
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Return names and features of structures at temperatures, as this model takes them.

        Raises:
            DataError: As ``structure_features``; the ion of the model is not in a structure; or an element stands in no
                row of the table whose values of elements the model was trained on.
        """
        names, rows = [], []
        for name, frames in structures.items():
            species = dict.fromkeys((frames if isinstance(frames, Configuration) else frames[0]).symbols)
            if self.ion not in species:
                raise DataError(
                    f"{name}: expected {self.ion}, the mobile ion of this model, in it, got {', '.join(species)}; "
                    "train a model on diffusivities of one of these."
                )
            for temperature_K in temperatures_K:
                try:
                    found = structure_features(
                        frames, temperature_K=temperature_K, ion=self.ion, values=self.training.elements
                    )
                except DataError as error:
                    raise named(name, error) from None
                names.append(name)
                rows.append([found[each] for each in self.training.names])
        return tuple(names), np.array(rows)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings, training table and residuals as JSON; ``load_model`` fits anew, in a second or so.

        The file holds the rows of the training table, under their licence.
        """
        table = self.training
        elements = None if table.elements is None else {n: dict(v.values) for n, v in table.elements.items()}
        data = {
            "kind": KIND,
            "tammann": __version__,
            "model": self.name,
            "seed": self.seed,
            "ion": table.ion,
            "source": table.source,
            "names": table.names,
            "elements": elements,
            "residuals": self.residuals,
            "formulas": table.formulas,
            "D_m2_per_s": table.D_m2_per_s,
            "features": table.features,
        }
        write_text(path, json.dumps(json_safe(data)) + "\n")


def train_model(
    table: DiffusivityTable,
    name: str = "hybrid",
    *,
    seed: int = 0,
    folds: int = 5,
    progress: Progress | None = None,
) -> DiffusivityModel:
    """Fit a model to a table, and measure its errors on compositions that it has not seen.

    Args:
        table: N rows of ten compositions or more.
        name: Of ``MODELS``.
        seed: Of what is drawn.
        folds: By composition, for the residuals.
        progress: Called with the fraction done.

    Raises:
        DataError: Too few compositions, an unknown model, or a package that is not installed.
    """
    if (n := int(table.groups.max()) + 1) < FEWEST_COMPOSITIONS:
        raise DataError(f"table: expected {FEWEST_COMPOSITIONS} compositions or more to learn from, got {n}.")
    folds = min(folds, n)

    def of_folds(done: float, what: str, _: float | None) -> None:
        if progress is not None:  # the fit to all rows is one more
            progress(done * folds / (folds + 1), what, None)

    predicted = cross_validate(table, name, folds=folds, seeds=(seed,), progress=of_folds).predicted[0]
    trained = _assembled(table, name, seed, predicted - table.ln_D)
    if progress is not None:
        progress(1.0, "", None)
    return trained


def _assembled(table: DiffusivityTable, name: str, seed: int, residuals: np.ndarray) -> DiffusivityModel:
    from scipy.optimize import nnls

    applicability = Applicability.of(table.features, table.groups)
    own = applicability.distance_within()
    fitted = make_model(name, table.names, seed=seed).fit(table.features, table.ln_D)
    size = np.abs(residuals)
    line, _ = nnls(np.column_stack([np.ones(len(own)), own]), size)
    line[0] = max(line[0], 0.05 * size.mean() + 1e-12)
    return DiffusivityModel(name, seed, table, fitted, residuals, applicability, (float(line[0]), float(line[1])), own)


def load_model(path: str | os.PathLike[str]) -> DiffusivityModel:
    """Read a model that ``DiffusivityModel.save`` wrote, and fit it to its table again.

    Raises:
        DataError: The file cannot be read, or is another one.
    """
    data = read_json(path)
    if not isinstance(data, Mapping) or data.get("kind") != KIND:
        raise DataError(f"{path}: expected a model as 'tammann diffusivity train' writes it, got something else.")
    try:
        source = data["source"] if isinstance(data["source"], str) else tuple(data["source"])
        table = DiffusivityTable(
            tuple(data["formulas"]),
            tuple(data["names"]),
            np.array(data["features"], dtype=float),
            np.array(data["D_m2_per_s"], dtype=float),
            source,
            data["ion"],
        )
        if data["elements"] is not None:
            text = source if isinstance(source, str) else "; ".join(dict.fromkeys(source))
            elements = {n: ElementValues(n, v, text) for n, v in data["elements"].items()}
            table = replace(table, elements=elements)
        residuals = np.array(data["residuals"], dtype=float)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected a model as 'tammann diffusivity train' writes it ({error!r}).") from None
    if residuals.shape != (table.n_rows,):
        raise DataError(f"{path}: expected one residual for each of {table.n_rows} rows, got {len(residuals)}.")
    return _assembled(table, str(data["model"]), int(data["seed"]), residuals)
