"""Measurements in files: what was written comes back, and the two files of a folder are told apart."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.transport import (
    correct_finite_size,
    correlations_of_stretches,
    displacement_correlations,
    ionic_conductivity,
    load_measurements,
    load_transport,
    measure_onsager,
    measurement_record,
    save_measurements,
    save_transport,
    transport_table,
)
from transport.walks import correlated_walk, independent_walk


@pytest.fixture(scope="module")
def measurement():
    rng = np.random.default_rng(4)
    walks = [correlated_walk(rng, 4000) for _ in range(3)]
    pieces = [piece for walk in walks for piece in correlations_of_stretches(walk, stretches=4, frame="barycentric")]
    curves = [displacement_correlations(walk, frame="barycentric") for walk in walks]
    return measure_onsager(curves, temperature_K=1200.0, stretches=pieces)


@pytest.fixture(scope="module")
def stuck():
    rng = np.random.default_rng(5)
    walk = independent_walk(rng, 400, D=(0.02, 0.0))
    speeds = rng.normal(size=(1, 8, 3)) * (np.arange(8) >= 4)[None, :, None]
    walk = replace(walk, positions=walk.positions + 0.01 * np.arange(400)[:, None, None] * speeds)  # Cl flies
    return measure_onsager(displacement_correlations(walk, frame="laboratory"), temperature_K=900.0)


def test_round_trip(measurement, stuck, tmp_path):
    corrected = correct_finite_size(
        measurement.D_m2_per_s,
        D_stderr=measurement.D_stderr,
        cell_A=20.0,
        temperature_K=1200.0,
        viscosity_Pa_s=1e-3,
        viscosity_stderr=1e-4,
    )
    measured = replace(measurement, finite_size=corrected)
    save_measurements(tmp_path / "transport.json", [measured, stuck])
    again, other = load_measurements(tmp_path / "transport.json")
    assert measurement_record(again) == measurement_record(measured)
    assert measurement_record(other) == measurement_record(stuck)
    for name in ("covariance", "self_covariance", "self_self_covariance", "D_tensor_m2_per_s", "counts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(measured, name))
    one, two = (ionic_conductivity(m, charges={"Na": 1, "Cl": -1}) for m in (measured, again))
    assert one.sigma_stderr == two.sigma_stderr and one.haven_stderr == two.haven_stderr
    assert not other.usable
    with pytest.raises(DataError, match="not shown to be diffusive"):
        _ = other.coefficients
    save_measurements(tmp_path / "one.json", [measured])
    assert len(load_measurements(tmp_path / "one.json")) == 1


def test_a_table_holds_what_diffuses_and_names_the_rest(measurement, stuck):
    laboratory = replace(measurement, frame="laboratory", apparent=replace(measurement.apparent, temperature_K=1300.0))
    table = transport_table([measurement, stuck, laboratory], name="salt")
    assert [entry.temperature_K for entry in table.entries] == [1200.0]
    assert "Cl (log-log slope 2.00" in table.warnings[0] and "laboratory" in table.warnings[1]
    with pytest.raises(DataError, match="no measurement serves recipes: NaCl at 900 K"):
        transport_table([stuck], name="none")


def test_the_two_files_of_a_folder_are_told_apart(measurement, tmp_path):
    save_measurements(tmp_path / "transport.json", [measurement])
    with pytest.raises(DataError, match=r"record of a measurement.*transport_table\.json beside it, which is written"):
        load_transport(tmp_path / "transport.json")
    save_transport(transport_table([measurement], name="salt"), tmp_path / "transport_table.json")
    with pytest.raises(DataError, match=r"record of a measurement.*transport_table\.json beside it\.$"):
        load_transport(tmp_path / "transport.json")
    with pytest.raises(DataError, match=r"is not the record of a measurement; give the transport\.json"):
        load_measurements(tmp_path / "transport_table.json")


def test_a_torn_record_is_refused(measurement, tmp_path):
    record = measurement_record(measurement)
    del record["L_covariance"]
    (tmp_path / "torn.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(DataError, match="L_covariance"):
        load_measurements(tmp_path / "torn.json")
