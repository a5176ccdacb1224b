"""Recipes against what experiment saw: a file of observations, and how many of them each model gets right.

Five models stand side by side: full kinetics, self-diffusion only, thermodynamics only, the geometric null (all pair
reactions equal) and plain equilibrium. The last two are the baselines over which skill is counted.
"""

from tammann.validation.courses import Course
from tammann.validation.observations import Amount, Experiment, Observation, Observations, When
from tammann.validation.verdicts import MODELS, Skill, Validation, Verdict, validate

__all__ = [
    "MODELS",
    "Amount",
    "Course",
    "Experiment",
    "Observation",
    "Observations",
    "Skill",
    "Validation",
    "Verdict",
    "When",
    "validate",
]
