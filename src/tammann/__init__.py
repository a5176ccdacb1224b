"""From a solid-state recipe to the phases a furnace would give.

Two pipelines meet in one table, and everything flows one way::

    md --> trajectory --> transport --+
                                      +--> kinetics --> automaton --> History --> analysis --> plot, report
                thermo --> reactions -+

- `recipe`: precursors, heating programme, atmosphere, particle size;
- `thermo`: phases, their Gibbs energies, the hull and chemical potentials;
- `reactions`: balanced reactions of one or two solids, with or without gas;
- `structures`, `potentials`, `md`: configurations of atoms, and what makes them move;
- `trajectory`: positions in time, from files and other packages;
- `characterization`: g(r), coordination and order of structures;
- `transport`: Onsager coefficients, from a paper, a model or trajectories, with standard errors;
- `kinetics`: growth constants and the score of each reaction, gathered in a `RateTable`;
- `synthesis`: sets of precursors that make a compound, on published criteria side by side;
- `automaton`: the powder as cells on a grid; a run gives a `History`;
- `analysis`, `plot`, `report`: histories to numbers, numbers to axes and pages;
- `workflows`: a recipe, a set of trajectories or the formula of a melt to a folder of results, resumable.

The whole programme, readable aloud::

    recipe = Recipe.from_file("batio3-1-1.yaml")
    phases = load_phases("Ba-Ti-O")
    reactions = enumerate_reactions(phases)
    transport = load_transport("Ba-Ti-O")
    rates = rate_table(reactions, transport, recipe)
    history = simulate(recipe, rates, rng=7)
    history.phase_fractions()
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tammann._version import __version__ as __version__

# Threads of a kernel wait for each other by spinning for some milliseconds, each time, which on a machine that is busy
# with something else they do instead of working. GNU's OpenMP reads this once, when it is first loaded.
if "OMP_WAIT_POLICY" not in os.environ:  # which it would override
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

if TYPE_CHECKING:
    from tammann.automaton import simulate
    from tammann.errors import DataError, RecipeError, ResultError, TammannError
    from tammann.history import History
    from tammann.kinetics import RateTable, growth_constants, rate_table
    from tammann.reactions import enumerate_reactions
    from tammann.recipe import Recipe
    from tammann.thermo import equilibrium, load_phases
    from tammann.trajectory import read_trajectory
    from tammann.transport import displacement_correlations, load_transport, measure_onsager
    from tammann.workflows.furnace import run_recipe
    from tammann.workflows.validation import validate

__all__ = [
    "DataError",
    "History",
    "RateTable",
    "Recipe",
    "RecipeError",
    "ResultError",
    "TammannError",
    "displacement_correlations",
    "enumerate_reactions",
    "equilibrium",
    "growth_constants",
    "load_phases",
    "load_transport",
    "measure_onsager",
    "rate_table",
    "read_trajectory",
    "run_recipe",
    "simulate",
    "validate",
]

# The room of each public name. Rooms are imported on first use, so that ``tammann --help`` does not wait for scipy.
_HOMES = {
    "DataError": "errors",
    "History": "history",
    "RateTable": "kinetics",
    "Recipe": "recipe",
    "RecipeError": "errors",
    "ResultError": "errors",
    "TammannError": "errors",
    "displacement_correlations": "transport",
    "enumerate_reactions": "reactions",
    "equilibrium": "thermo",
    "growth_constants": "kinetics",
    "load_phases": "thermo",
    "load_transport": "transport",
    "measure_onsager": "transport",
    "rate_table": "kinetics",
    "read_trajectory": "trajectory",
    "run_recipe": "workflows.furnace",
    "simulate": "automaton",
    "validate": "workflows.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tammann' has no attribute {name!r}")
    value = getattr(import_module(f"tammann.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
