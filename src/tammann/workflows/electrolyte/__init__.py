"""Disordered solid electrolytes from a formula to conductivity and pathways: a plan, a folder, a table and a page."""

from tammann.workflows.electrolyte.plan import ElectrolytePlan
from tammann.workflows.electrolyte.results import ElectrolyteResult
from tammann.workflows.electrolyte.run import STAGES, load_electrolytes, run_electrolytes

__all__ = ["STAGES", "ElectrolytePlan", "ElectrolyteResult", "load_electrolytes", "run_electrolytes"]
