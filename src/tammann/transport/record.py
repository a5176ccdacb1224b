"""What is written of a measurement: a record of its own, and a table for the furnace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import write_text
from tammann.transport.conductivity import Conductivity
from tammann.transport.measure import OnsagerMeasurement
from tammann.transport.table import TransportTable

__all__ = ["measurement_record", "save_measurements", "transport_table"]

UNITS = {
    "L": "1/(J m s)",
    "D": "m^2/s",
    "volume_A3": "cubic Angstrom",
    "regime_ps": "ps",
    "conductivity": "S/m",
    "charges": "e",
}


def transport_table(
    measurements: Sequence[OnsagerMeasurement],
    *,
    name: str,
    source: str = "",
    end_members: tuple[str, str] | None = None,
) -> TransportTable:
    """Gather measurements into a table that the furnace takes; those that are not diffusive stay out, by name.

    Args:
        measurements: Of different compositions and temperatures.
        name: Name of the table.
        source: Where it comes from.
        end_members: The two reactants of the series, where there are two.

    Raises:
        DataError: None of them is diffusive, one is not in the barycentric frame, or two have the same composition
            and temperature.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> steps = 0.05 * np.random.default_rng(1).normal(size=(2000, 20, 3))
        >>> walk = trajectory_from_arrays(steps.cumsum(axis=0), 20.0 * np.eye(3), ["Mg", "O"] * 10,
        ...                               frame_interval_ps=0.1, wrapped=False)
        >>> measured = measure_onsager(displacement_correlations(walk), temperature_K=3000.0)
        >>> transport_table([measured], name="walks").formulas
        ('MgO',)
    """
    for measurement in measurements:
        if measurement.frame != "barycentric":
            raise DataError(
                f"{measurement.formula} at {measurement.temperature_K:g} K was measured in the {measurement.frame} "
                "frame; the furnace expects barycentric, so measure it again in that."
            )
    good = [measurement for measurement in measurements if measurement.diffusive and measurement.apparent.L.any()]
    if not good:
        raise DataError(
            "no measurement is diffusive and has a collective motion, so there is nothing for the furnace; run longer "
            "or hotter, or give regime_ps."
        )
    warnings = [m.not_diffusive_sentence() for m in measurements if not m.diffusive]
    return TransportTable(
        name=name,
        source=source or "; ".join(dict.fromkeys(m.source for m in good if m.source)),
        entries=tuple(m.coefficients for m in good),
        end_members=end_members,
        warnings=tuple(warnings),
    )


def save_measurements(
    path: str | PathLike[str],
    measurements: Sequence[OnsagerMeasurement],
    *,
    conductivities: Sequence[Conductivity | None] | None = None,
) -> None:
    """Write measurements to a JSON file: one as an object, several as a list of objects.

    Units: L in 1/(J m s), D in m²/s, volumes in Å³, times in ps, conductivities in S/m; a number that could not be had
    (the species was not diffusive) is null.

    Args:
        path: Of the file.
        measurements: One or more.
        conductivities: Of each, as ``ionic_conductivity`` returns it, or None.

    Raises:
        OSError: The file cannot be written.
    """
    given = conductivities or [None] * len(measurements)
    records = [measurement_record(m, conductivity=sigma) for m, sigma in zip(measurements, given, strict=True)]
    write_text(path, json.dumps(records[0] if len(records) == 1 else records, indent=2, allow_nan=False) + "\n")


def measurement_record(measurement: OnsagerMeasurement, *, conductivity: Conductivity | None = None) -> dict[str, Any]:
    """Return a measurement as plain numbers, lists and mappings, as ``save_measurements`` writes it.

    Args:
        measurement: What was measured.
        conductivity: What ``ionic_conductivity`` made of it, or None.
    """
    m, L = measurement, measurement.apparent
    assert L.L_stderr is not None and L.L_self_stderr is not None
    known = zip(m.species, m.regime.diffusive, m.regime.immobile, strict=True)
    shown = np.array([moves or stays or symbol == m.frame for symbol, moves, stays in known])
    both = np.outer(shown, shown)

    def matrix(values: np.ndarray | None) -> list[list[float | None]] | None:
        return None if values is None else [_numbers(row) for row in np.where(both, values, np.nan)]

    def mapping(values: Any) -> dict[str, float | None] | None:
        return None if values is None else dict(zip(m.species, _numbers(values), strict=True))

    moving = np.array(m.regime.diffusive)
    record: dict[str, Any] = {
        "tammann_version": __version__,
        "units": UNITS,
        "formula": m.formula,
        "temperature_K": m.temperature_K,
        "species": list(m.species),
        "counts": dict(zip(m.species, (int(n) for n in m.counts), strict=True)),
        "volume_A3": L.volume_A3,
        "frame": m.frame,
        "n_replicas": m.n_replicas,
        "duration_ps": m.duration_ps,
        "frame_interval_ps": m.frame_interval_ps,
        "regime_ps": list(m.regime_ps),
        "regime_rule": m.regime.rule,
        "diffusive": m.diffusive,
        "diffusive_species": dict(zip(m.species, m.regime.diffusive, strict=True)),
        "immobile_species": dict(zip(m.species, m.regime.immobile, strict=True)),
        "log_log_slope": mapping(m.regime.slope),
        "log_log_slope_stderr": mapping(m.regime.slope_stderr),
        "L": matrix(L.L),
        "L_stderr": matrix(L.L_stderr),
        "L_covariance": m.covariance.tolist() if shown.all() else None,
        "L_self": mapping(np.where(moving, L.L_self, np.nan)),
        "L_self_stderr": mapping(np.where(moving, L.L_self_stderr, np.nan)),
        "L_distinct": mapping(np.where(moving, L.distinct, np.nan)),
        "D_m2_per_s": mapping(m.D_m2_per_s),
        "D_stderr": mapping(m.D_stderr),
        "D_tensor_m2_per_s": {
            s: D.tolist() if f else None for s, D, f in zip(m.species, m.D_tensor_m2_per_s, moving, strict=True)
        },
        "collective_D_m2_per_s": mapping(m.collective_D_m2_per_s),
        "correlation_factor": mapping(m.correlation_factor),
        "correlation_factor_stderr": mapping(m.correlation_factor_stderr),
        "haven_ratio": mapping(m.haven_ratio),
        "haven_ratio_stderr": mapping(m.haven_ratio_stderr),
        "L_replica_stderr": matrix(m.L_replica_stderr),
        "D_replica_stderr": mapping(m.D_replica_stderr),
        "n_blocks": None if m.blocks is None else m.blocks.blocks,
        "L_block_stderr": None if m.blocks is None else matrix(m.blocks.L_stderr),
        "D_block_stderr": None if m.blocks is None else mapping(m.blocks.D_stderr),
        "smallest_eigenvalue_ratio": L.smallest_eigenvalue_ratio,
        "centre_of_mass_deviation": L.centre_of_mass_deviation,
        "source": m.source,
        "notes": list(m.notes),
    }
    if m.finite_size is not None:
        record["box_length_A"] = m.finite_size.box_length_A
        record["finite_size_correction_m2_per_s"] = m.finite_size.correction_m2_per_s
        record["finite_size_correction_stderr"] = m.finite_size.correction_stderr
        record["D_infinite_box_m2_per_s"] = mapping(m.finite_size.D_m2_per_s)
        record["D_infinite_box_stderr"] = mapping(m.finite_size.D_stderr)
    record["conductivity"] = None if conductivity is None else _conductivity(conductivity)
    return record


def _conductivity(result: Conductivity) -> dict[str, Any]:
    def mapping(values: np.ndarray | None) -> dict[str, float | None] | None:
        return None if values is None else dict(zip(result.species, _numbers(values), strict=True))

    singles = {
        "sigma_S_per_m": result.sigma_S_per_m,
        "sigma_stderr": result.sigma_stderr,
        "nernst_einstein_S_per_m": result.nernst_einstein_S_per_m,
        "nernst_einstein_stderr": result.nernst_einstein_stderr,
        "haven_ratio": result.haven_ratio,
        "haven_ratio_stderr": result.haven_stderr,
    }
    return {
        "charges": mapping(result.charges),
        **dict(zip(singles, _numbers([np.nan if v is None else v for v in singles.values()]), strict=True)),
        "transference": mapping(result.transference),
        "transference_stderr": mapping(result.transference_stderr),
        "notes": list(result.notes),
    }


def _numbers(values: Any) -> list[float | None]:
    return [float(value) if value is not None and np.isfinite(value) else None for value in np.asarray(values)]
