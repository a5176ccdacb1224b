"""Toy chemistries and recipes: tables of rates from equations, grids by hand."""

import itertools
import re
from types import SimpleNamespace

import numpy as np

from tammann.automaton.kernel import Blocks, State, Tables
from tammann.kinetics import RateTable
from tammann.recipe import Recipe
from tammann.thermo import parse_formula

MASS = {"Ba": 0.1373, "Ti": 0.0479, "O": 0.0160, "C": 0.0120}
OXIDES = {"BaO": 26.7e-6, "TiO2": 18.8e-6, "BaTiO3": 40.9e-6, "Ba2TiO4": 77.9e-6, "BaTi2O5": 68.8e-6}
ALIKE = dict.fromkeys(OXIDES, 30e-6)


def terms(side):
    """'2 BaO + TiO2' to {'BaO': 2.0, 'TiO2': 1.0}; '0' stands for nothing."""
    found = {}
    for term in side.split(" + "):
        number, name = re.fullmatch(r"\s*([\d.]+\s+)?(\S+)\s*", term).groups()
        if name != "0":
            found[name] = float(number or 1)
    return found


def rate_table(volumes, scores, *, gases=(), exchange=None, temperature_K=(300.0, 2000.0), melting_point_K=2500.0):
    """A table of rates of the given reactions.

    Args:
        volumes: formula to molar volume, m^3.
        scores: equation to its score, one number or one per temperature.
        gases: formulas on the gas side of the equations.
        exchange: formula to place exchanges per sweep, one number or one per temperature.
        temperature_K: of the table.
        melting_point_K: of every phase.
    """
    phases, width, count = tuple(volumes), len(temperature_K), len(scores)
    atoms = [parse_formula(name) for name in (*phases, *gases)]
    elements = tuple(sorted(set().union(*atoms)))
    composition = np.array([[float(entry.get(e, 0)) for e in elements] for entry in atoms])
    sides = {"reactants": (np.full((count, 2), -1), np.zeros((count, 2)))}
    sides["products"] = (np.full((count, 2), -1), np.zeros((count, 2)))
    released = np.zeros((count, len(gases)))
    for c, equation in enumerate(scores):
        for (codes, numbers), side, sign in zip(sides.values(), equation.split(" -> "), (-1, 1), strict=True):
            place = 0
            for name, number in terms(side).items():
                if name in gases:
                    released[c, gases.index(name)] += sign * number
                else:
                    codes[c, place], numbers[c, place] = phases.index(name), number
                    place += 1
    moves = np.zeros((width, len(phases)))
    for name, value in (exchange or {}).items():
        moves[:, phases.index(name)] = value
    score = np.zeros((width, count))
    for c, value in enumerate(scores.values()):
        score[:, c] = value
    return RateTable(
        phases=phases,
        elements=elements,
        composition=composition[: len(phases)],
        molar_volume_m3=np.array(list(volumes.values())),
        molar_mass_kg=composition[: len(phases)] @ [MASS.get(e, 0.05) for e in elements],
        melting_point_K=np.full(len(phases), melting_point_K),
        gases=tuple(gases),
        gas_composition=composition[len(phases) :],
        temperature_K=np.array(temperature_K, dtype=float),
        reactants=sides["reactants"][0],
        reactant_coefficients=sides["reactants"][1],
        products=sides["products"][0],
        product_coefficients=sides["products"][1],
        gas_coefficients=released,
        score=score,
        dG_eV_per_atom=np.full(score.shape, -0.1),
        growth_constant_m2_per_s=np.full(score.shape, np.nan),
        fallback=np.zeros(count, dtype=bool),
        equations=tuple(scores),
        exchange=moves,
    )


def all_pairs(volumes=OXIDES, score=1.0, **options):
    """Every reaction of two oxides to one, all with one score: geometry and nothing else."""
    equations = {}
    for (a, b), c in itertools.product(itertools.combinations(volumes, 2), volumes):
        if c not in (a, b):
            matrix = np.array([[parse_formula(name).get(e, 0) for name in (a, b)] for e in ("Ba", "Ti")], dtype=float)
            need = np.linalg.solve(matrix, [parse_formula(c).get(e, 0) for e in ("Ba", "Ti")])
            if (need > 1e-9).all():
                equations[f"{need[0]:.17g} {a} + {need[1]:.17g} {b} -> {c}"] = score
    return rate_table(volumes, equations, **options)


def recipe(ratios, *, sweeps=50.0, size=8, temperature_K=1300.0, seed=1, steps=None, **grid):
    """A hold of a number of sweeps at one temperature, with no ramp before it; or other steps of a programme."""
    steps = steps or [{"temperature_K": temperature_K, "hold_h": sweeps / 100}]
    return Recipe(
        precursors=[{"phase": name, "ratio": float(ratio)} for name, ratio in ratios.items()],
        start_temperature_K=temperature_K,
        programme=steps,
        sweeps_per_hour=100.0,
        transport="none",
        seed=seed,
        grid={"size": size, **grid},
    )


def random_rates(rng):
    """Channels of every kind between phases that need not balance: the kernel knows no chemistry."""
    phases, gases, channels = int(rng.integers(2, 7)), int(rng.integers(0, 3)), int(rng.integers(1, 16))
    reactants, products = np.full((channels, 2), -1), np.full((channels, 2), -1)
    for c in range(channels):
        sides = rng.choice(phases, 2, replace=False)
        reactants[c] = sides if rng.random() < 0.7 else (sides[0], -1)
        others = [p for p in range(phases) if p not in reactants[c]]
        count = min(int(rng.integers(0, 3)), len(others))
        products[c, :count] = rng.choice(others, count, replace=False)
    numbers = rng.choice([0.5, 1.0, 1.0, 2.0, 3.0], (2, channels, 2))
    speed = rng.choice([0.0, 0.05, 0.4])
    return SimpleNamespace(  # not a RateTable, which has no channel without a solid product
        phases=tuple("ABCDEFG"[:phases]),
        elements=("X",),
        composition=np.ones((phases, 1)),
        molar_volume_m3=rng.uniform(1e-5, 5e-5, phases),
        molar_mass_kg=np.ones(phases),
        melting_point_K=np.full(phases, 2500.0),
        gases=("U", "V")[:gases],
        gas_composition=np.ones((gases, 1)),
        temperature_K=np.array([1000.0]),
        reactants=reactants,
        reactant_coefficients=np.where(reactants >= 0, numbers[0], 0.0),
        products=products,
        product_coefficients=np.where(products >= 0, numbers[1], 0.0),
        gas_coefficients=rng.integers(-1, 3, (channels, gases)).astype(float),
        score=rng.choice([0.0, 0.01, 0.1, 1.0], (1, channels)) * rng.random((1, channels)),
        dG_eV_per_atom=np.zeros((1, channels)),
        growth_constant_m2_per_s=np.full((1, channels), np.nan),
        fallback=np.zeros(channels, dtype=bool),
        equations=tuple(map(str, range(channels))),
        exchange=speed * rng.random((1, phases)),
    )


def blocks(size, per_axis):
    """The cuts and colours of a grid, written down independently of ``simulate``."""
    cuts = np.array([round(size * k / per_axis) for k in range(per_axis + 1)])
    if per_axis == 1:
        return Blocks(size, cuts, np.zeros((1, 1), dtype=np.int64))
    colours = [[] for _ in range(8)]
    for number, (x, y, z) in enumerate(itertools.product(range(per_axis), repeat=3)):
        colours[x % 2 + 2 * (y % 2) + 4 * (z % 2)].append(number)
    return Blocks(size, cuts, np.array(colours))


def tables(rates, full, *, step=1.0, minimum_fill=1.0, capacity=2.0, temperature=0):
    """The kernel's tables at one temperature of a table of rates, for cycles of ``step`` sweeps."""
    width, count, max_speedup = len(full), len(rates.equations), 1.0 / minimum_fill
    reactant, product = rates.reactants.astype(np.int64) + 1, rates.products.astype(np.int64) + 1
    used, made = rates.reactant_coefficients.copy(), rates.product_coefficients.copy()
    pairs = [[] for _ in range(width**2)]
    ones = [[] for _ in range(width)]
    full_cell_score = np.zeros((width, width))
    score = rates.score[temperature] * step
    full_cell_amount = np.zeros((count, 2))
    for c in range(count):
        p, q = reactant[c]
        bulk = [made[c, k] / full[product[c, k]] if product[c, k] else -1.0 for k in (0, 1)]
        if bulk[1] > bulk[0]:
            product[c], made[c] = product[c, ::-1].copy(), made[c, ::-1].copy()
        if q:
            full_cell_amount[c] = min(full[p] / used[c, 0], full[q] / used[c, 1]) * used[c]
            pairs[p * width + q].append(c)
            pairs[q * width + p].append(c)
            full_cell_score[p, q] += score[c]
            full_cell_score[q, p] += score[c]
        else:
            full_cell_amount[c] = full[p] / used[c, 0] * used[c]
            ones[p].append(c)
            full_cell_score[p] += score[c]
    moves = np.zeros((width, width))
    moves[1:] = rates.exchange[temperature][:, None] * step
    np.fill_diagonal(moves, 0.0)
    flat = itertools.chain.from_iterable
    return Tables(
        capacity=capacity,
        max_speedup=max_speedup,
        full=full,
        max_probability=(full_cell_score * max_speedup + moves).ravel(),
        full_cell_score=full_cell_score.ravel(),
        exchange=moves.ravel(),
        pair_start=np.cumsum([0, *map(len, pairs)]),
        pair_channel=np.array(list(flat(pairs)), dtype=np.int64),
        single_start=np.cumsum([0, *map(len, ones)]),
        single_channel=np.array(list(flat(ones)), dtype=np.int64),
        reactants=reactant,
        reactant_coefficients=used,
        products=product,
        product_coefficients=made,
        gas_coefficients=rates.gas_coefficients.copy(),
        full_cell_amount=full_cell_amount,
        score=score,
    )


def state(phase, amount, rates, number_of_blocks=1):
    """A state of the kernel; the arrays are its own."""
    return State(
        phase=np.array(phase, dtype=np.uint8).ravel(),
        amount=np.array(amount, dtype=float).ravel(),
        ledger=np.zeros((number_of_blocks, len(rates.phases) + 1)),
        gas=np.zeros((number_of_blocks, len(rates.gases))),
        extent=np.zeros((number_of_blocks, len(rates.equations))),
        counters=np.zeros((number_of_blocks, 3), dtype=np.int64),
    )


def copy(original):
    """A state of the same content."""
    return State(*(array.copy() for array in original))


def codes(rates):
    """Formula to code."""
    return {name: k + 1 for k, name in enumerate(rates.phases)}


def atoms(grid, rates):
    """Atoms of every element over grid, ledger and gas."""
    moles = np.bincount(grid.phase, weights=grid.amount, minlength=len(rates.phases) + 1)[1:]
    moles = moles + grid.ledger[:, 1:].sum(axis=0)
    return moles @ rates.composition + grid.gas.sum(axis=0) @ rates.gas_composition
