"""Recipes against what experiment saw: a file of observations, and how many of them each model gets right.

Five models stand side by side: full kinetics, self-diffusion only, thermodynamics only, the geometric null (all pair
reactions equal) and plain equilibrium. The last two are the baselines over which skill is counted.
"""

from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.judge import MODELS, Judgement, Skill, Validation, validate
from tammann.workflows.validation.observations import Amount, Experiment, Observation, Observations, When

__all__ = [
    "MODELS",
    "Amount",
    "PhaseEvolution",
    "Experiment",
    "Observation",
    "Observations",
    "Skill",
    "Validation",
    "Judgement",
    "When",
    "validate",
]
