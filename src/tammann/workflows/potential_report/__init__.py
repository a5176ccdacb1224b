"""Judging potentials: errors, physics, crystals, dynamics, one page, and a table of them side by side."""

from tammann.workflows.potential_report.plan import PotentialReportPlan
from tammann.workflows.potential_report.results import Judgement, PotentialReport
from tammann.workflows.potential_report.run import run_potential_report

__all__ = ["Judgement", "PotentialReport", "PotentialReportPlan", "run_potential_report"]
