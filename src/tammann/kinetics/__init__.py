"""How fast each contact of two phases reacts: growth constants, the score, and the table of rates."""

from tammann.kinetics.atmosphere import with_atmosphere
from tammann.kinetics.build import rate_table, reference_scale
from tammann.kinetics.growth import electroneutral_growth_constant, growth_constant, growth_constants
from tammann.kinetics.options import PUBLIC_CODE, KineticsOptions
from tammann.kinetics.rate_tables import RateTable
from tammann.kinetics.relevance import relevant_reactions

__all__ = [
    "PUBLIC_CODE",
    "KineticsOptions",
    "RateTable",
    "electroneutral_growth_constant",
    "growth_constant",
    "growth_constants",
    "rate_table",
    "reference_scale",
    "relevant_reactions",
    "with_atmosphere",
]
