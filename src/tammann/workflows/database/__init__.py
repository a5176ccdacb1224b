"""A database of disordered structures and their diffusivities, from a list of compositions."""

from tammann.workflows.database.parity import Parity, compare_databases
from tammann.workflows.database.plan import DatabasePlan
from tammann.workflows.database.run import DatabaseResult, collect_database, load_database, load_plan, run_database
from tammann.workflows.database.store import Store, open_store
from tammann.workflows.database.summaries import (
    activation_table,
    distributions_by,
    export_contributions,
    export_table,
)

__all__ = [
    "DatabasePlan",
    "DatabaseResult",
    "Parity",
    "Store",
    "activation_table",
    "collect_database",
    "compare_databases",
    "distributions_by",
    "export_contributions",
    "export_table",
    "load_database",
    "load_plan",
    "open_store",
    "run_database",
]
