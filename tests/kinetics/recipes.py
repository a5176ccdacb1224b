"""Recipes of BaO and TiO2, and what is asked of their tables of rates."""

from dataclasses import replace

from tammann.recipe import Recipe

LINE = {
    "BaO", "TiO2", "Ba2TiO4", "Ba3TiO5", "BaTiO3", "BaTi2O5", "Ba6Ti17O40", "Ba4Ti13O30", "BaTi4O9", "Ba2Ti9O20",
    "BaTi5O11",
}  # fmt: skip


def recipe(first="BaO", second="TiO2", top=1500.0, ratio=1, **more):
    return Recipe(
        precursors=[{"phase": first, "ratio": ratio}, {"phase": second, "ratio": 1}],
        programme=[{"temperature_K": top, "hold_h": 1}],
        **more,
    )


def column(rates, equation):
    return rates.equations.index(equation)


def part_of(transport, **temperatures_K):
    """Of the table some compositions, each at some temperatures."""
    kept = [entry for entry in transport.entries if entry.temperature_K in temperatures_K.get(entry.formula, ())]
    return replace(transport, name="mine", entries=tuple(kept), warnings=())


def outside_data(rates):
    return [warning for warning in rates.warnings if "mine" in warning]
