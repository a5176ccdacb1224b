"""Rows of the table where little was asked for."""

import math

from tammann.workflows.potential_report.plan import PotentialReportPlan
from tammann.workflows.potential_report.results import Judgement, PotentialReport


def empty(name):
    return Judgement(name, "a paper", "", None, None, None, {}, {}, {}, {"drift": "it broke."})


def test_what_was_not_asked_is_not_known(tmp_path):
    plan = PotentialReportPlan(potentials=("a",), reference="b")
    report = PotentialReport(plan, tmp_path, (empty("a"),), empty("b"))
    assert [one.name for one in report.all] == ["a", "b"]
    row = report.table().iloc[0]
    assert math.isnan(row["force_rmse_eV_per_A"]) and math.isnan(row["D_ratio"]) and row["checks"] == 0
    assert row["failures"] == 1 and report.potentials[0].failures == ("drift: it broke.",)
    assert repr(report) == "PotentialReport(a)" and report.page == tmp_path / "report.html"


def test_a_reference_that_is_judged_itself_stands_once(tmp_path):
    plan = PotentialReportPlan(potentials=("a", "b"), reference="b")
    report = PotentialReport(plan, tmp_path, (empty("a"), empty("b")), empty("b"))
    assert [one.name for one in report.all] == ["a", "b"]
