"""Recipes against experiment: a file of observations, and how many of them hold in each model.

There are eight models: reactive diffusion with full, self and equal conductivities, the automaton with full kinetics,
with self-diffusion only and with thermodynamics only, and the two baselines that skill is measured against, the
geometric null (all pair reactions equal) and plain equilibrium. Each observation is judged over a range of the inputs
that nobody knows.
"""

from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.observations import Amount, Experiment, Observation, Observations, Range, When
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
    "Range",
    "Skill",
    "Validation",
    "When",
    "validate",
]
