"""Recipes against experiment: a file of observations, and how many of them hold in each model.

There are five models: full kinetics, self-diffusion only, thermodynamics only, and the two baselines that skill is
measured against, the geometric null (all pair reactions equal) and plain equilibrium.
"""

from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.observations import Amount, Experiment, Observation, Observations, When
from tammann.workflows.validation.results import MODELS, Judgement, Skill, Validation
from tammann.workflows.validation.run import validate

__all__ = [
    "MODELS",
    "Amount",
    "Experiment",
    "Judgement",
    "Observation",
    "Observations",
    "PhaseEvolution",
    "Skill",
    "Validation",
    "When",
    "validate",
]
