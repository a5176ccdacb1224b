import json
import subprocess
import sys

from tammann.potentials.gpaw import PROGRAM


def test_a_failure_is_an_answer(tmp_path):
    """Here GPAW cannot be imported, or refuses a task without settings: either is told in the answer."""
    (tmp_path / "task.json").write_text("{}")
    done = subprocess.run([sys.executable, PROGRAM, "task.json", "answer.json"], cwd=tmp_path, check=True)
    assert done.returncode == 0
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert list(answer) == ["failure"] and "Error" in answer["failure"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.json", "task.json"]
