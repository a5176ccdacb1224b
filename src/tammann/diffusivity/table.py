"""Tables of diffusivities with features: the published one, one's own, and both together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.composition import composition_key
from tammann.diffusivity.composition_features import composition_features, recover_elements, split_composition
from tammann.diffusivity.definitions import COMPOSITION_FEATURES, FEATURES, NAMES
from tammann.diffusivity.elements import ElementValues
from tammann.errors import DataError
from tammann.files import write_text
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    import pandas as pd

LN_CM2 = float(np.log(1e4))
"""ln D of cm²/s less ln D of m²/s."""
PUBLISHED_SOURCE = "Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2"
TARGET, STDERR = "D_m2_per_s", "D_stderr_m2_per_s"
_TARGET = "diff_coeff_mul_thousand"
_COLUMNS = {feature.column: feature.name for feature in FEATURES if feature.column}


@dataclass(frozen=True, eq=False, repr=False)
class DiffusivityTable(ShownAsTable):
    """Diffusivities of one ion in N structures at their temperatures, with F features.

    Attributes:
        formulas: Composition of each row.
        names: Of the features, ``temperature_K`` among them.
        features: Shape (N, F), in the units of ``feature_definitions``.
        D_m2_per_s: Shape (N,), m²/s, above zero.
        source: Where they are from; of each row, or one for all.
        ion: The mobile ion.
        elements: Values of the elements that the means over compositions stand on, where not the shipped ones.

    Raises:
        DataError: Shapes that do not fit, values that are not finite, a D or temperature that is not above zero.

    Example:
        >>> table = DiffusivityTable(("LiF",), ("temperature_K",), np.array([[1500.0]]), np.array([4e-9]), "mine")
        >>> table, table.temperatures_K.tolist()
        (DiffusivityTable(1 rows of 1 compositions, 1 features), [1500.0])
    """

    formulas: tuple[str, ...]
    names: tuple[str, ...]
    features: np.ndarray
    D_m2_per_s: np.ndarray
    source: str | tuple[str, ...]
    ion: str = "Li"
    elements: Mapping[str, ElementValues] | None = None

    def __post_init__(self) -> None:
        n = len(self.formulas)
        for name, shape in (("features", (n, len(self.names))), ("D_m2_per_s", (n,))):
            array = np.array(getattr(self, name), dtype=float)
            if array.shape != shape or not n:
                raise DataError(f"{name} has shape {array.shape}, expected {shape} for {n} rows, one or more.")
            if not np.isfinite(array).all():
                rows, where = np.argwhere(~np.isfinite(array.reshape(n, -1)))[0]
                what = self.names[where] if name == "features" else name
                raise DataError(f"{what} of {self.formulas[rows]} is not finite; expected a number in every row.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if len(set(self.names)) != len(self.names) or "temperature_K" not in self.names:
            raise DataError("names: expected different names with temperature_K among them.")
        for name, values in (("D_m2_per_s", self.D_m2_per_s), ("temperature_K", self.temperatures_K)):
            if not (values > 0).all():
                formula = self.formulas[int(np.argmin(values))]
                raise DataError(f"{name} of {formula} is {values.min():g}, expected a number above 0.")
        if not isinstance(self.source, str) and len(self.source) != n:
            raise DataError(f"source: expected one, or one for each of {n} rows, got {len(self.source)}.")

    def __repr__(self) -> str:
        compositions = len(set(self.groups.tolist()))
        return f"DiffusivityTable({self.n_rows} rows of {compositions} compositions, {len(self.names)} features)"

    @property
    def n_rows(self) -> int:
        """Number of rows N."""
        return len(self.formulas)

    @property
    def temperatures_K(self) -> np.ndarray:
        """Temperature of each row, K, shape (N,)."""
        return self.column("temperature_K")

    @property
    def ln_D(self) -> np.ndarray:
        """Logarithm of D in m²/s, shape (N,)."""
        return np.log(self.D_m2_per_s)

    @property
    def groups(self) -> np.ndarray:
        """Number of the composition of each row, from 0, shape (N,); multiples of a formula are one composition."""
        known: dict[Any, int] = {}
        return np.array([known.setdefault(composition_key(formula), len(known)) for formula in self.formulas])

    def column(self, name: str) -> np.ndarray:
        """Return a feature, shape (N,).

        Raises:
            DataError: There is none of this name.
        """
        return self.features[:, self._place(name)]

    def select(self, names: Sequence[str]) -> DiffusivityTable:
        """Return the table with some of its features, in the order given; the temperature must be among them.

        Raises:
            DataError: A feature is not there.
        """
        return replace(self, names=tuple(names), features=self.features[:, [self._place(name) for name in names]])

    def take(self, rows: np.ndarray) -> DiffusivityTable:
        """Return some of the rows: their numbers, or a boolean for each."""
        chosen = np.arange(self.n_rows)[rows]
        source = self.source if isinstance(self.source, str) else tuple(self.source[i] for i in chosen)
        return replace(
            self,
            formulas=tuple(self.formulas[i] for i in chosen),
            features=self.features[chosen],
            D_m2_per_s=self.D_m2_per_s[chosen],
            source=source,
        )

    def recovered(self) -> DiffusivityTable:
        """Return the table with the values of the elements that its means over compositions stand on.

        So features of other structures can be made alike (``structure_features(..., values=table.elements)``), as far
        as their elements stand in the table.

        Raises:
            DataError: A column is not made of means over atoms.
        """
        columns = {name: self.column(name) for name in self.names}
        return replace(self, elements=recover_elements(self.formulas, columns, source=self._one_source()))

    def with_shipped_elements(self) -> DiffusivityTable:
        """Return the table with all features that follow from the composition made anew from the shipped values.

        Raises:
            DataError: An element has no shipped value.
        """
        found = {f: composition_features(f, ion=self.ion) for f in dict.fromkeys(self.formulas)}
        features = self.features.copy()
        for feature in COMPOSITION_FEATURES:
            if feature.name in self.names:
                features[:, self._place(feature.name)] = [found[formula][feature.name] for formula in self.formulas]
        return replace(self, features=features, elements=None)

    def joined(self, other: DiffusivityTable) -> DiffusivityTable:
        """Return the rows of both tables, with the features that both have.

        Means over compositions are made anew from the shipped values where the tables stand on different ones.

        Raises:
            DataError: The tables are of different ions.
        """
        if self.ion != other.ion:
            raise DataError(f"expected tables of one ion, got {self.ion} and {other.ion}.")
        one, two = self, other
        if one.elements is not two.elements or one.elements is not None:
            one, two = one.with_shipped_elements(), two.with_shipped_elements()
        names = [name for name in one.names if name in two.names]
        one, two = one.select(names), two.select(names)
        sources = [t.source if not isinstance(t.source, str) else (t.source,) * t.n_rows for t in (one, two)]
        return replace(
            one,
            formulas=one.formulas + two.formulas,
            features=np.concatenate([one.features, two.features]),
            D_m2_per_s=np.concatenate([one.D_m2_per_s, two.D_m2_per_s]),
            source=sources[0] + sources[1],
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each structure: formula, features, D (m²/s), source."""
        import pandas as pd

        frame = pd.DataFrame(self.features, columns=list(self.names))
        frame.insert(0, "formula", self.formulas)
        frame[TARGET] = self.D_m2_per_s
        frame["source"] = self.source if isinstance(self.source, str) else list(self.source)
        return frame

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV, whole or not at all."""
        write_text(path, self.table().assign(ion=self.ion).to_csv(index=False))

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise DataError(f"feature {name!r}: expected one of {', '.join(self.names)}.")
        return self.names.index(name)

    def _one_source(self) -> str:
        return self.source if isinstance(self.source, str) else "; ".join(dict.fromkeys(self.source))


def load_published(path: str | os.PathLike[str]) -> DiffusivityTable:
    """Read the published table of Li diffusivities, 792 rows of 207 compositions with 43 features.

    Its features are kept as they are, with the values of the elements recovered from its means. What is known of it:
    the anion of AFC, AASD, LASD and VPA is the alphabetically last element of each formula.

    Args:
        path: ``feature_target.dat`` of the public repository, or the folder that holds it; ``fetch_published``
            downloads it. It has no licence and does not ship with this package.

    Raises:
        DataError: There is no such file, or it is another one.

    Reference:
        Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2.
    """
    import pandas as pd

    file = Path(path)
    file = file / "feature_target.dat" if file.is_dir() else file
    if not file.is_file():
        raise DataError(f"{file}: expected the published table, feature_target.dat, got no such file; check the path.")
    try:
        frame = pd.read_csv(file, sep=" ")
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: expected columns apart by spaces, got something else ({error}).") from None
    missing = [name for name in ("formula", _TARGET, *_COLUMNS) if name not in frame]
    if missing:
        raise DataError(f"{file}: expected the column {missing[0]} of the published table, got none; is it that file?")
    # in the order of the file, which random forests depend on; the target is D x 1000 in cm²/s
    columns = [column for column in frame.columns if column in _COLUMNS]
    return DiffusivityTable(
        tuple(frame["formula"]),
        tuple(_COLUMNS[column] for column in columns),
        frame[columns].to_numpy(dtype=float),
        frame[_TARGET].to_numpy(dtype=float) * 1e-3 * 1e-4,
        PUBLISHED_SOURCE,
    ).recovered()


def load_table(path: str | os.PathLike[str]) -> DiffusivityTable:
    """Read a table: a CSV file as ``DiffusivityTable.save`` writes it, or the published one.

    A CSV file needs the columns ``formula``, ``temperature_K`` and ``D_m2_per_s``; columns with the names of features
    are features, others are passed over. Where it has the columns ``diffusive`` and ``crystalline`` of a database, rows
    whose ion was not shown to diffuse and those that have crystallised are left out.

    Raises:
        DataError: It cannot be read, a column is missing, or no row is left.
    """
    import pandas as pd

    file = Path(path)
    if file.exists() and (file.suffix == ".dat" or file.is_dir()):
        return load_published(file)
    if not file.is_file():
        raise DataError(f"{file}: expected a table of diffusivities, got no such file; check the path.")
    try:
        frame = pd.read_csv(file, keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: expected a CSV table, got something else ({error}).") from None
    for name in ("formula", "temperature_K", TARGET):
        if name not in frame:
            raise DataError(f"{file}: expected the column {name}, found {', '.join(map(str, frame.columns[:8]))}.")
    for column, wanted in (("diffusive", 1), ("crystalline", 0)):
        if column in frame:
            frame = frame[frame[column] == wanted]
    if frame.empty:
        raise DataError(f"{file}: expected rows to learn from, got none; do any of its ions diffuse?")
    names = [name for name in NAMES if name in frame]
    try:
        features, D = frame[names].to_numpy(dtype=float), frame[TARGET].to_numpy(dtype=float)
    except ValueError as error:
        raise DataError(f"{file}: expected numbers in the columns of features and {TARGET} ({error}).") from None
    ions = list(dict.fromkeys(frame["ion"].astype(str))) if "ion" in frame else ["Li"]
    if len(ions) > 1:
        raise DataError(f"{file}: expected diffusivities of one ion, got those of {', '.join(ions)}; split the table.")
    source: str | tuple[str, ...] = tuple(frame["source"].astype(str)) if "source" in frame else file.name
    try:
        table = DiffusivityTable(tuple(frame["formula"].astype(str)), tuple(names), features, D, source, ions[0])
        for formula in dict.fromkeys(table.formulas):
            split_composition(formula, ions[0])
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    return table
