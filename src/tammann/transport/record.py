"""Measurements in files: their own record, and the table of transport coefficients that recipes take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from os import PathLike
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import json_safe, read_json, write_text
from tammann.transport.conductivity import Conductivity
from tammann.transport.correlations import frame_elements
from tammann.transport.finite_size import FiniteSizeCorrection
from tammann.transport.measurement import BlockErrors, OnsagerMeasurement
from tammann.transport.onsager import OnsagerCoefficients
from tammann.transport.regime import Regime
from tammann.transport.table import TransportTable, is_record

RECORD_FILE = "transport.json"
"""Name of the record in a folder of results."""

UNITS = {
    "L": "1/(J m s)",
    "D": "m^2/s",
    "volume_A3": "cubic Angstrom",
    "regime_ps": "ps",
    "conductivity": "S/m",
    "charges": "e",
}


PER_SPECIES = {
    "diffusive_species": "diffusive",
    "immobile_species": "immobile",
    "log_log_slope": "slope",
    "log_log_slope_stderr": "slope_stderr",
}
"""Keys of the record and attributes of the regime, in its order."""

OF_IONS = (
    *("D_m2_per_s", "D_stderr", "D_replica_stderr", "correlation_factor", "correlation_factor_stderr"),
    *("haven_ratio", "haven_ratio_stderr", "collective_D_m2_per_s"),
)
"""Keys of the record that are attributes of the measurement, one number for each species."""


def transport_table(
    measurements: Sequence[OnsagerMeasurement],
    *,
    name: str,
    source: str = "",
    end_members: tuple[str, str] | None = None,
) -> TransportTable:
    """Return a table of the measurements in the barycentric frame in which all ions diffuse; it names the others.

    A solid with a framework at rest is left out: in that frame the framework's recoil from the mobile ions would count
    as growth, where a neutral flux of one mobile ion alone is none.

    Args:
        measurements: Of different compositions and temperatures.
        name: Name of the table.
        source: Where it comes from; by default what the measurements say.
        end_members: The two reactants of the series, where there are two.

    Raises:
        DataError: None of them is left, or two have the same composition and temperature.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> walk = Trajectory.example()
        >>> measured = measure_onsager(displacement_correlations(walk))
        >>> transport_table([measured], name="walks").formulas
        ('MgO',)
    """
    good, left_out = [], []
    for m in measurements:
        where = f"{m.formula} at {m.temperature_K:g} K"
        if m.immobile and any(m.regime.diffusive):
            left_out.append(
                f"{where}: a framework of {', '.join(m.immobile)} is at rest; in the barycentric frame, which recipes "
                "take, its recoil from the other ions would count as growth; left out."
            )
        elif not m.diffusive:
            left_out.append(m.not_diffusive_sentence())
        elif m.frame != "barycentric":
            left_out.append(f"{where} was measured in the {m.frame} frame; recipes take the barycentric.")
        elif not m.apparent.L.any():
            left_out.append(f"{where}: one element alone has no motion against its own centre of mass; left out.")
        elif (np.diag(m.apparent.L) < 0).any():
            left_out.append(f"{where}: an L_ii is below zero within its error; left out, run longer.")
        else:
            good.append(m.coefficients)
    if not good:
        raise DataError(f"no measurement serves recipes: {left_out[0] if left_out else 'there is none.'}")
    return TransportTable(
        name=name,
        source=source or "; ".join(dict.fromkeys(entry.source for entry in good if entry.source)),
        entries=tuple(good),
        end_members=end_members,
        warnings=tuple(left_out),
    )


def save_measurements(
    path: str | PathLike[str],
    measurements: Sequence[OnsagerMeasurement],
    *,
    conductivities: Sequence[Conductivity | None] | None = None,
) -> None:
    """Write measurements to a JSON file: one as an object, several as a list of objects.

    Units: L in 1/(J m s), D in m²/s, volumes in Å³, times in ps, conductivities in S/m; a number that is not known
    (the species was not diffusive) is null.

    Raises:
        OSError: The file cannot be written.
    """
    given = conductivities or [None] * len(measurements)
    records = [measurement_record(m, conductivity=sigma) for m, sigma in zip(measurements, given, strict=True)]
    write_text(path, json.dumps(records[0] if len(records) == 1 else records, indent=2, allow_nan=False) + "\n")


def measurement_record(measurement: OnsagerMeasurement, *, conductivity: Conductivity | None = None) -> dict[str, Any]:
    """Return a measurement, with its conductivity, as the numbers, lists and mappings of ``save_measurements``."""
    m, L = measurement, measurement.apparent
    assert L.L_stderr is not None and L.L_self_stderr is not None
    at_rest = [symbol in frame_elements(m.frame) for symbol in m.species]
    shown = np.any([m.regime.diffusive, m.regime.immobile, at_rest], axis=0)
    both = np.outer(shown, shown)

    def matrix(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.where(both, values, np.nan)

    mapping = partial(_by_species, m.species)
    moving = np.array(m.regime.diffusive)
    record: dict[str, Any] = {
        "tammann_version": __version__,
        "units": UNITS,
        "formula": m.formula,
        "temperature_K": m.temperature_K,
        "species": m.species,
        "counts": mapping(m.counts),
        "volume_A3": L.volume_A3,
        "frame": m.frame,
        "n_replicas": m.n_replicas,
        "duration_ps": m.duration_ps,
        "frame_interval_ps": m.frame_interval_ps,
        "regime_ps": m.regime_ps,
        "regime_rule": m.regime.rule,
        "diffusive": m.diffusive,
        **{key: mapping(getattr(m.regime, name)) for key, name in PER_SPECIES.items()},
        "L": matrix(L.L),
        "L_stderr": matrix(L.L_stderr),
        "L_covariance": np.where(np.multiply.outer(both, both), m.covariance, np.nan),
        "L_self_L_covariance": np.where(np.multiply.outer(shown, both), m.self_covariance, np.nan),
        "L_self_covariance": matrix(m.self_self_covariance),
        "L_self": mapping(np.where(moving, L.L_self, np.nan)),
        "L_self_stderr": mapping(np.where(moving, L.L_self_stderr, np.nan)),
        "L_distinct": mapping(np.where(moving, L.distinct, np.nan)),
        "D_tensor_m2_per_s": {
            s: D if moves else None for s, D, moves in zip(m.species, m.D_tensor_m2_per_s, moving, strict=True)
        },
        **{name: mapping(getattr(m, name)) for name in OF_IONS},
        "L_replica_stderr": matrix(m.L_replica_stderr),
        "n_blocks": m.blocks and m.blocks.blocks,
        "L_block_stderr": m.blocks and matrix(m.blocks.L_stderr),
        "D_block_stderr": m.blocks and mapping(m.blocks.D_stderr),
        "smallest_eigenvalue_ratio": L.smallest_eigenvalue_ratio if shown.all() else None,
        "centre_of_mass_deviation": L.centre_of_mass_deviation if shown.all() else None,
        "source": L.source,
        "notes": m.notes,
    }
    if m.finite_size is not None:
        record |= {
            "box_length_A": m.finite_size.box_length_A,
            "finite_size_correction_m2_per_s": m.finite_size.correction_m2_per_s,
            "finite_size_correction_stderr": m.finite_size.correction_stderr,
            "D_infinite_box_m2_per_s": mapping(m.finite_size.D_m2_per_s),
            "D_infinite_box_stderr": mapping(m.finite_size.D_stderr),
        }
    record["conductivity"] = None if conductivity is None else _conductivity(conductivity)
    return dict(json_safe(record))


def _by_species(species: tuple[str, ...], values: Any) -> dict[str, Any] | None:
    return None if values is None else dict(zip(species, values, strict=True))


def load_measurements(path: str | PathLike[str]) -> tuple[OnsagerMeasurement, ...]:
    """Read measurements that ``save_measurements`` wrote.

    Coefficients that the file leaves out, as the species was not diffusive, are 0 in ``apparent``; ``coefficients``
    refuses them as before.

    Raises:
        DataError: The file cannot be read or holds something else.
    """
    data = read_json(path)
    if not is_record(data):
        raise DataError(f"{path} is not the record of a measurement; give the {RECORD_FILE} of a folder of results.")
    try:
        return tuple(_from_record(record) for record in (data if isinstance(data, list) else [data]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a whole record of measurements ({error!r}); measure again.") from None


def _from_record(record: dict[str, Any]) -> OnsagerMeasurement:
    species = tuple(record["species"])

    def listed(key: str) -> Any:
        values = record[key]
        return [values[symbol] for symbol in species] if isinstance(values, dict) else values

    def array(key: str) -> Any:
        return None if record[key] is None else np.array(listed(key), dtype=float)

    def known(key: str) -> Any:
        return np.nan_to_num(np.array(listed(key), dtype=float))

    blocks = finite_size = None
    if record["n_blocks"] is not None:
        blocks = BlockErrors(record["n_blocks"], array("L_block_stderr"), array("D_block_stderr"))
    if "box_length_A" in record:
        keys = ("finite_size_correction_m2_per_s", "finite_size_correction_stderr", "box_length_A")
        D, stderr = array("D_infinite_box_m2_per_s"), array("D_infinite_box_stderr")
        finite_size = FiniteSizeCorrection(D, stderr, *(record[key] for key in keys))
    from_ps, to_ps = record["regime_ps"]
    tensors = [tensor or np.full((3, 3), np.nan) for tensor in listed("D_tensor_m2_per_s")]
    return OnsagerMeasurement(
        apparent=OnsagerCoefficients(
            species=species,
            **{name: known(name) for name in ("L", "L_self", "L_stderr", "L_self_stderr")},
            **{name: record[name] for name in ("formula", "temperature_K", "volume_A3", "source")},
        ),
        counts=np.array(listed("counts")),
        regime=Regime(from_ps, to_ps, record["regime_rule"], *(tuple(listed(key)) for key in PER_SPECIES)),
        covariance=known("L_covariance"),
        self_covariance=known("L_self_L_covariance"),
        self_self_covariance=known("L_self_covariance"),
        D_tensor_m2_per_s=np.array(tensors, dtype=float),
        **{name: record[name] for name in ("frame", "n_replicas", "duration_ps", "frame_interval_ps")},
        L_replica_stderr=array("L_replica_stderr"),
        D_replica_stderr=array("D_replica_stderr"),
        blocks=blocks,
        finite_size=finite_size,
        notes=tuple(record["notes"]),
    )


def _conductivity(result: Conductivity) -> dict[str, Any]:
    mapping = partial(_by_species, result.species)
    numbers = ("sigma_S_per_m", "sigma_stderr", "nernst_einstein_S_per_m", "nernst_einstein_stderr", "haven_ratio")
    return {
        **{name: mapping(getattr(result, name)) for name in ("charges", "transference", "transference_stderr")},
        **{name: getattr(result, name) for name in numbers},
        "haven_ratio_stderr": result.haven_stderr,
        "notes": result.notes,
    }
