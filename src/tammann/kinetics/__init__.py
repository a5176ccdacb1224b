"""How fast each contact of two phases reacts: growth constants, the score, and the table of rates.

::

    options.py    every constant and choice, with the values of the paper and of its authors' code
    growth.py     the growth constant of one layer; growth_constants for a whole table
    selection.py  which reactions elements, atmosphere and equilibrium leave open
    relevance.py  which phases and reactions of a large system are looked at
    channels.py   the growth constants of many reactions at once
    coverage.py   where transport data reach, and what is said where they do not
    score.py      the factors of the score
    build.py      rate_table: from reactions, transport and a recipe to the table
    rate_tables.py  RateTable: plain arrays in one readable file
"""

from tammann.kinetics.build import rate_table, reference_scale
from tammann.kinetics.growth import electroneutral_growth_constant, growth_constant, growth_constants
from tammann.kinetics.options import PUBLIC_CODE, KineticsOptions
from tammann.kinetics.rate_tables import RateTable
from tammann.kinetics.relevance import may_open, relevant_phases

__all__ = [
    "PUBLIC_CODE",
    "KineticsOptions",
    "RateTable",
    "electroneutral_growth_constant",
    "growth_constant",
    "growth_constants",
    "may_open",
    "rate_table",
    "reference_scale",
    "relevant_phases",
]
