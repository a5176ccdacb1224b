"""Active learning: a potential improved on the configurations that its own runs lead it to."""

from tammann.workflows.active_learning.explore import Exploration, Watch, explore
from tammann.workflows.active_learning.folder import load_active_learning
from tammann.workflows.active_learning.plan import ActiveLearningPlan
from tammann.workflows.active_learning.propose import Task, propose
from tammann.workflows.active_learning.rounds import OUTCOMES, ActiveLearningResult, RoundResult
from tammann.workflows.active_learning.run import Labelled, Trained, run_active_learning

__all__ = [
    "OUTCOMES",
    "ActiveLearningPlan",
    "ActiveLearningResult",
    "Exploration",
    "Labelled",
    "RoundResult",
    "Task",
    "Trained",
    "Watch",
    "explore",
    "load_active_learning",
    "propose",
    "run_active_learning",
]
