"""The page of a report of which little is known."""

from tammann.workflows.potential_report.page import report_page
from tammann.workflows.potential_report.plan import PotentialReportPlan
from tammann.workflows.potential_report.results import Judgement, PotentialReport


def test_a_report_without_parts_is_a_page_without_figures(tmp_path):
    one = Judgement("a<b", "a paper", "0123456789abcdef0123", None, None, None, {}, {}, {}, {"drift": "x < y."})
    text = report_page(PotentialReport(PotentialReportPlan(potentials=("a<b",)), tmp_path, (one,), None))
    assert "<figure>" not in text and "a&lt;b" in text and "x &lt; y" in text
    assert "a<b" not in text and "SHA-256 0123456789abcdef" in text
    assert "<title>How good is a&lt;b?</title>" in text
