"""tammann potential report."""

import json


def test_a_report_from_the_command_line(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mgo.xyz").write_text(
        '2\nLattice="0 2.1 2.1 2.1 0 2.1 2.1 2.1 0" Properties=species:S:1:pos:R:3 pbc="T T T"\nMg 0 0 0\nO 2.1 0 0\n'
    )
    (tmp_path / "two.yaml").write_text(
        "potentials: [pedone-2006]\ncrystals: [{crystal: mgo.xyz}]\ndrift: null\nconsistency: false\n"
    )
    first = call("potential", "report", "two.yaml")
    assert first.status == 0, first.err
    assert "pedone-2006" in first.out and "two-report/report.html" in first.out
    again = call("potential", "report", "two.yaml")
    assert again.status == 2 and "resume it" in again.err
    found = call("potential", "report", "two.yaml", "--resume", "--json")
    assert found.status == 0
    data = json.loads(found.out)
    assert data["potentials"][0]["potential"] == "pedone-2006" and data["failures"] == {"pedone-2006": []}


def test_a_plan_that_is_wrong_is_refused(call, tmp_path):
    (tmp_path / "bad.yaml").write_text("potentials: []\n")
    refused = call("potential", "report", str(tmp_path / "bad.yaml"))
    assert refused.status == 2 and "potentials: expected a list of potentials" in refused.err
