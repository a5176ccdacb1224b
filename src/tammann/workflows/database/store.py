"""One SQLite file of records: states, features, pair distributions, frames, and where they come from."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.characterization import PairDistribution
from tammann.diffusivity.definitions import NAMES
from tammann.diffusivity.table import DiffusivityTable
from tammann.errors import DataError, ResultError
from tammann.files import json_safe

if TYPE_CHECKING:
    import pandas as pd

FILE = "database.sqlite"
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS states (
    id INTEGER PRIMARY KEY, formula TEXT NOT NULL, temperature_K REAL NOT NULL, ion TEXT NOT NULL,
    potential TEXT NOT NULL, engine TEXT NOT NULL, atoms INTEGER NOT NULL, duration_ps REAL NOT NULL,
    volume_per_atom_A3 REAL,
    density_g_per_cm3 REAL, pressure_GPa REAL, energy_eV_per_atom REAL, D_m2_per_s REAL, D_stderr_m2_per_s REAL,
    log_log_slope REAL, diffusive INTEGER NOT NULL, crystalline INTEGER NOT NULL, volume_converged INTEGER NOT NULL,
    frames TEXT NOT NULL, n_frames INTEGER NOT NULL, notes TEXT NOT NULL, provenance TEXT NOT NULL,
    UNIQUE (formula, temperature_K, ion, potential)
);
CREATE TABLE IF NOT EXISTS features (
    state INTEGER NOT NULL REFERENCES states (id) ON DELETE CASCADE, name TEXT NOT NULL, value REAL,
    PRIMARY KEY (state, name)
);
CREATE TABLE IF NOT EXISTS elements (
    state INTEGER NOT NULL REFERENCES states (id) ON DELETE CASCADE, element TEXT NOT NULL, fraction REAL NOT NULL,
    D_m2_per_s REAL, D_stderr_m2_per_s REAL, diffusive INTEGER NOT NULL, PRIMARY KEY (state, element)
);
CREATE TABLE IF NOT EXISTS distributions (
    state INTEGER PRIMARY KEY REFERENCES states (id) ON DELETE CASCADE, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS activations (
    formula TEXT PRIMARY KEY, anion TEXT NOT NULL, temperatures INTEGER NOT NULL, Ea_eV REAL NOT NULL,
    Ea_stderr_eV REAL, ln_D0_m2_per_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS amorphous_limits (
    formula TEXT NOT NULL, potential TEXT NOT NULL, temperature_K REAL NOT NULL, frames INTEGER NOT NULL,
    relaxed INTEGER NOT NULL,
    energy_eV_per_atom REAL NOT NULL, hull_eV_per_atom REAL, above_hull_eV_per_atom REAL, phases TEXT NOT NULL,
    PRIMARY KEY (formula, potential)
);
"""
_OF_DISTRIBUTION = ("r_A", "partial", "total", "coordination", "density_per_A3")


@dataclass(frozen=True)
class Store:
    """A database file.

    Attributes:
        path: The SQLite file; any tool that reads SQLite can query it.
    """

    path: Path

    @contextmanager
    def connection(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection, committed at the end where it is for writing.

        Raises:
            ResultError: There is no such database, or the file is something else.
        """
        if not write and not self.path.is_file():
            raise ResultError(f"{self.path}: expected a database of tammann, found none; run tammann database first.")
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                if write:
                    connection.executescript(SCHEMA)
                with connection:
                    yield connection
        except sqlite3.DatabaseError as error:
            raise ResultError(f"{self.path}: expected a database of tammann, got something else ({error}).") from None

    def describe(self, **facts: Any) -> None:
        """Keep facts about the whole database, such as its plan, as JSON by name."""
        with self.connection(write=True) as connection:
            rows = [(key, json.dumps(json_safe(value))) for key, value in {**facts, "schema": VERSION}.items()]
            connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def about(self) -> dict[str, Any]:
        """Return what ``describe`` has kept."""
        with self.connection() as connection:
            return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM about")}

    def keep(
        self,
        state: Mapping[str, Any],
        *,
        features: Mapping[str, float],
        elements: Mapping[str, Mapping[str, Any]],
        distribution: PairDistribution,
    ) -> None:
        """Keep a state, in the place of an earlier one of this composition, temperature and potential, all or nothing.

        Args:
            state: Columns of the table ``states`` by name.
            features: By name.
            elements: By symbol, the columns ``fraction``, ``D_m2_per_s``, ``D_stderr_m2_per_s`` and ``diffusive``.
            distribution: g(r).
        """
        values = {k: json.dumps(json_safe(v)) if isinstance(v, Mapping | list | tuple) else v for k, v in state.items()}
        data = {name: getattr(distribution, name) for name in _OF_DISTRIBUTION}
        data |= {"species": distribution.species, "n_frames": distribution.n_frames}
        with self.connection(write=True) as connection:
            key = [values[name] for name in ("formula", "temperature_K", "ion", "potential")]
            connection.execute("DELETE FROM states WHERE (formula, temperature_K, ion, potential) = (?, ?, ?, ?)", key)
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            cursor = connection.execute(f"INSERT INTO states ({names}) VALUES ({marks})", _plain(values.values()))
            number = cursor.lastrowid
            rows = [(number, name, float(value)) for name, value in features.items()]
            connection.executemany("INSERT INTO features VALUES (?, ?, ?)", rows)
            columns = ("fraction", "D_m2_per_s", "D_stderr_m2_per_s", "diffusive")
            connection.executemany(
                "INSERT INTO elements VALUES (?, ?, ?, ?, ?, ?)",
                [(number, symbol, *_plain(row[name] for name in columns)) for symbol, row in elements.items()],
            )
            connection.execute("INSERT INTO distributions VALUES (?, ?)", (number, json.dumps(json_safe(data))))

    def keep_limit(self, limit: Mapping[str, Any]) -> None:
        """Keep the amorphous limit of a composition: columns of the table ``amorphous_limits`` by name."""
        values = {k: json.dumps(json_safe(v)) if isinstance(v, Mapping) else v for k, v in limit.items()}
        with self.connection(write=True) as connection:
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(
                f"INSERT OR REPLACE INTO amorphous_limits ({names}) VALUES ({marks})", _plain(values.values())
            )

    def keep_activations(self, energies: pd.DataFrame) -> None:
        """Keep activation energies, columns of the table ``activations``, in the place of all earlier ones."""
        rows = [_plain(row) for row in energies.itertuples(index=False, name=None)]
        with self.connection(write=True) as connection:
            connection.execute("DELETE FROM activations")
            names, marks = ", ".join(energies.columns), ", ".join("?" * len(energies.columns))
            connection.executemany(f"INSERT INTO activations ({names}) VALUES ({marks})", rows)

    def query(self, sql: str, *parameters: Any) -> pd.DataFrame:
        """Return the rows of a query.

        Raises:
            ResultError: There is no such database.
            DataError: The query is not understood.
        """
        import pandas as pd

        with self.connection() as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchone()  # is it a database at all?
            try:
                return pd.read_sql_query(sql, connection, params=list(parameters))
            except Exception as error:
                reason = " ".join(str(error).split())
                raise DataError(f"query: expected SQL of the tables of {self.path.name}: {reason}.") from None

    def states(self) -> pd.DataFrame:
        """Return one row for each state."""
        return self.query("SELECT * FROM states ORDER BY formula, temperature_K")

    def table(self) -> pd.DataFrame:
        """Return one row for each state with its features as columns: the database as one table."""
        states = self.states()
        features = self.query("SELECT state, name, value FROM features")
        wide = features.pivot(index="state", columns="name", values="value")
        wide = wide[[name for name in NAMES if name in wide and name not in states]]
        return states.join(wide, on="id").drop(columns=["id", "provenance"])

    def distribution(self, formula: str, temperature_K: float) -> PairDistribution:
        """Return g(r) of a state.

        Raises:
            DataError: There is none.
        """
        found = self.query(
            "SELECT data FROM distributions JOIN states ON state = id WHERE formula = ? AND temperature_K = ?",
            formula,
            temperature_K,
        )
        if found.empty:
            raise DataError(f"{self.path.name}: expected a state {formula} at {temperature_K:g} K in it, found none.")
        data = json.loads(found["data"].iloc[0])
        arrays = {name: np.array(data[name], dtype=float) for name in _OF_DISTRIBUTION}
        return PairDistribution(
            tuple(data["species"]), arrays["r_A"], arrays["partial"], arrays["total"], arrays["coordination"], None,
            arrays["density_per_A3"], int(data["n_frames"]),
        )  # fmt: skip

    def diffusivity_table(self, *, only_diffusive: bool = True, source: str | None = None) -> DiffusivityTable:
        """Return the states to learn from: features and D of the mobile ion.

        Args:
            only_diffusive: Leave out states whose ion was not shown to diffuse, and those that have crystallised.
            source: What to say of them; the potential and the name of the file where None.

        Raises:
            DataError: No state is left.
        """
        frame = self.table()
        kept = frame["D_m2_per_s"] > 0
        if only_diffusive:
            kept &= (frame["diffusive"] == 1) & (frame["crystalline"] == 0)
        frame = frame[kept]
        if frame.empty:
            raise DataError(
                f"{self.path.name}: expected states whose ion diffuses, found none; run longer or hotter, or take all "
                "(only_diffusive=False)."
            )
        names = tuple(name for name in NAMES if name in frame and not frame[name].isna().any())
        return DiffusivityTable(
            tuple(frame["formula"]),
            names,
            frame[list(names)].to_numpy(dtype=float),
            frame["D_m2_per_s"].to_numpy(dtype=float),
            source or f"molecular dynamics with {frame['potential'].iloc[0]} ({self.path.parent.name})",
            str(frame["ion"].iloc[0]),
        )


def open_store(path: str | os.PathLike[str]) -> Store:
    """Return the store of a folder of ``run_database``, or of its file."""
    file = Path(path)
    return Store(file / FILE if file.is_dir() or file.suffix != ".sqlite" else file)


def _plain(values: Any) -> list[Any]:
    """Return values as SQLite takes them: NaN as null, numpy's numbers as Python's."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in plain]
