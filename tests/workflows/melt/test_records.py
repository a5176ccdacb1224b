"""Records of melts: what is written is read again, shipped ones load, and what is no record is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tammann.errors import ResultError
from tammann.workflows.melt.records import Estimate, MeltRecord, ReplicaRecord, VolumeRecord
from tammann.workflows.melt.state import measure_state
from workflows.melt.toys import fabricate, replica_record

SHIPPED = Path(__file__).parents[3] / "examples" / "melts" / "ba-ti-o"


def test_a_record_is_read_as_it_was_written(tmp_path):
    chosen, folder, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(1))
    measure_state(chosen, "MgO", 4500.0, folder)
    for record in (replica_record(2), VolumeRecord.load(folder)):
        record.save(tmp_path)
        assert repr(type(record).load(tmp_path)) == repr(record)  # NaN is not equal to itself
    melt = MeltRecord.load(folder)
    assert melt.atoms == 40 and melt.durations_ps == {"replica-1": 100.0, "replica-2": 100.0}
    assert melt.coordination[0].mean == pytest.approx(5.5) and melt.viscosity.converged


def test_what_json_cannot_write_is_null_there(tmp_path):
    unknown = replace(replica_record(1), crystal_nn={"Mg": Estimate(4.0, np.nan)}, pressure_stderr_GPa=np.nan)
    unknown.save(tmp_path)
    written = json.loads((tmp_path / "replica.json").read_text())
    assert written["crystal_nn"] == {"Mg": {"mean": 4.0, "stderr": None}} and written["pressure_stderr_GPa"] is None
    assert np.isnan(ReplicaRecord.load(tmp_path).crystal_nn["Mg"].stderr)
    _, folder, _ = fabricate(tmp_path / "o", replicas=1, rng=np.random.default_rng(1))
    volume = VolumeRecord.load(folder)
    first = replace(volume.points[0], pressure_stderr_GPa=np.inf)  # of a run too short to tell
    replace(volume, points=(first, *volume.points[1:])).save(folder)
    assert json.loads((folder / "volume.json").read_text())["points"][0]["pressure_stderr_GPa"] is None
    assert VolumeRecord.load(folder).points[0] == first


@pytest.mark.parametrize("kind, number", [(VolumeRecord, 40), (MeltRecord, 40), (ReplicaRecord, 120)])
def test_shipped_records_load(kind, number):
    files = sorted(SHIPPED.rglob(kind.FILE))
    assert len(files) == number
    for file in files:
        record, written = kind.load(file.parent), json.loads(file.read_text())
        for key in ("formula", "temperature_K", "pressure_GPa", "bragg_order", "volume_A3", "converged", "duration_ps"):
            assert key not in written or getattr(record, key) == written[key]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"formula": "MgO"}', '{"formula": 3}'])
def test_what_is_no_record_is_refused(tmp_path, text):
    (tmp_path / "melt.json").write_text(text)
    with pytest.raises(ResultError, match=r"melt.json: expected a record of tammann melt, got other JSON"):
        MeltRecord.load(tmp_path)
    with pytest.raises(ResultError, match=r"volume.json: no such file or directory"):
        VolumeRecord.load(tmp_path)
