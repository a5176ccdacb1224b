"""A recipe that the automaton runs in no time."""

from tammann.recipe import Recipe


def recipe(*, size=8, realizations=3, **entries):
    plain = {
        "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        "start_temperature_K": 1200,
        "programme": [{"temperature_K": 1300, "ramp_K_per_min": 60, "hold_h": 0.05}],
        "grid": {"size": size},
        "ensemble": {"realizations": realizations},
        "seed": 5,
    }
    return Recipe(**plain | entries)
