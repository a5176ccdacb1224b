"""Physics that every potential owes, whatever it was fitted to: gradients, invariances, smoothness.

Each check returns a ``Check``: the largest deviation found, beside the most that is allowed. The limits let single
precision pass (graph networks) and catch forces that are not the gradient of the energy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tammann.notebook import ShownAsTable
from tammann.potentials.response import VOIGT, respond
from tammann.structures.configuration import Configuration
from tammann.units import EV_PER_A3_IN_GPA

if TYPE_CHECKING:
    import pandas as pd

STEP_A = 0.02
"""Longest displacement of the numerical gradient, Å."""
STRAIN = 4e-3
FORCE_SHARE = 0.02
"""Largest error of a force allowed, over the root mean square force."""
LEAST_FORCE_EV_PER_A = 0.1
"""Taken for the root mean square force of configurations where that is smaller, such as crystals at rest."""
ENERGY_EV_PER_ATOM = 2e-5
STRESS_GPA = 0.05
STRESS_SHARE = 0.01
JUMP_EV, JUMP_EV_PER_A = 2e-3, 0.05
ROUND_OFF = 1e-6
"""Of single precision, as a share of the energy of the cell."""
PATH_A = 0.6
PATH_STEP_A = 0.01
SUSPECTS, HALVINGS = 3, 8
"""Intervals looked into, and how often they are halved."""


@dataclass(frozen=True)
class Check:
    """One property of a potential.

    Attributes:
        name: What was checked.
        deviation: Largest deviation found.
        limit: Largest deviation allowed.
        unit: Of both.
    """

    name: str
    deviation: float
    limit: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the deviation is within its limit."""
        return self.deviation <= self.limit


@dataclass(frozen=True, eq=False, repr=False)
class Consistency(ShownAsTable):
    """The checks of one potential on one configuration."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all checks have passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence for every check that has failed."""
        return tuple(
            f"{c.name}: off by {c.deviation:.2g} {c.unit}, at most {c.limit:.2g} is allowed"
            for c in self.checks
            if not c.passed
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each check: name, deviation, limit, unit, and whether it has passed."""
        import pandas as pd

        rows = [(c.name, c.deviation, c.limit, c.unit, c.passed) for c in self.checks]
        return pd.DataFrame(rows, columns=["check", "deviation", "limit", "unit", "passed"])

    def __repr__(self) -> str:
        return f"Consistency({len(self.checks) - len(self.failures)} of {len(self.checks)} checks passed)"


def check_consistency(
    calculator: Any, configuration: Configuration, *, name: str = "potential", rng: np.random.Generator | int = 0
) -> Consistency:
    """Check forces, stress, invariances and smoothness of a calculator on a configuration.

    About 250 single points.

    Args:
        calculator: ASE calculator with energy, forces and stress.
        configuration: Best a disordered one, of about 10 to 60 atoms; in a perfect crystal all forces are zero.
        name: Of the potential, for messages.
        rng: Chooses atoms, directions and rotations.

    Raises:
        DataError: The calculator fails.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> atoms = bulk("Cu", cubic=True)
        >>> atoms.rattle(0.1, seed=1)
        >>> check_consistency(EMT(), Configuration.from_ase(atoms)).passed
        True
    """
    random = np.random.default_rng(rng)
    checks = (
        check_forces(calculator, configuration, name=name, rng=random),
        check_stress(calculator, configuration, name=name),
        *check_invariance(calculator, configuration, name=name, rng=random),
        *check_smoothness(calculator, configuration, name=name, rng=random),
    )
    return Consistency(checks)


def check_forces(
    calculator: Any,
    configuration: Configuration,
    *,
    directions: int = 4,
    step_A: float = STEP_A,
    name: str = "potential",
    rng: np.random.Generator | int = 0,
) -> Check:
    """Compare forces with the gradient of the energy: F . d = -dE(x + s d)/ds at s = 0.

    The derivative is taken from central differences over shorter and shorter steps. Directions d alternate between one
    atom along a random unit vector, which tests single forces, and all atoms at once, which leaves out none of them.

    Args:
        calculator: ASE calculator.
        configuration: N atoms.
        directions: How many d of each kind.
        step_A: Longest step, Å.
        name: Of the potential, for messages.
        rng: Chooses them.

    Returns:
        The largest |F . d + dE/ds|, eV/Å.
    """
    random = np.random.default_rng(rng)
    here = respond(calculator, configuration, name=name).forces_eV_per_A
    n, worst = configuration.n_atoms, 0.0
    for k in range(2 * directions):
        d = np.zeros((n, 3))
        moved = [int(random.integers(n))] if k % 2 == 0 else list(range(n))
        d[moved] = random.normal(size=(len(moved), 3))
        d /= np.linalg.norm(d)
        # a unit vector over many atoms moves each of them less than one atom alone
        longest = float(np.linalg.norm(d, axis=1).max())
        slope = _derivative(partial(_energy_along, calculator, configuration, d, name), step_A / longest)
        worst = max(worst, abs(float((here * d).sum()) + slope))
    rms = max(float(np.sqrt((here**2).mean())), LEAST_FORCE_EV_PER_A)
    return Check("forces are minus the gradient", worst, FORCE_SHARE * rms, "eV/Å")


def check_stress(
    calculator: Any, configuration: Configuration, *, strain: float = STRAIN, name: str = "potential"
) -> Check:
    """Compare the stress with the derivative of the energy by strain: s_ab = (1/V) dE/de_ab, all six components.

    Args:
        calculator: ASE calculator.
        configuration: Atoms; positions follow the strained cell.
        strain: Longest step of the derivative.
        name: Of the potential, for messages.

    Returns:
        The largest deviation, GPa.
    """
    stress = respond(calculator, configuration, name=name).stress_eV_per_A3 * EV_PER_A3_IN_GPA
    worst = 0.0
    for a, b in VOIGT:
        unit = np.zeros((3, 3))
        unit[a, b] += 0.5
        unit[b, a] += 0.5
        slope = _derivative(partial(_energy_strained, calculator, configuration, unit, name), strain)
        worst = max(worst, abs(slope / configuration.volume_A3 * EV_PER_A3_IN_GPA - stress[a, b]))
    return Check(
        "stress is the derivative by strain", worst, STRESS_GPA + STRESS_SHARE * float(np.abs(stress).max()), "GPa"
    )


def check_invariance(
    calculator: Any, configuration: Configuration, *, name: str = "potential", rng: np.random.Generator | int = 0
) -> tuple[Check, ...]:
    """Check energy and forces under translation, rotation, exchange of like atoms' places in the list, and doubling.

    The energy per atom must stay, and forces must turn, be reordered and be repeated with the atoms.

    Args:
        calculator: ASE calculator.
        configuration: N atoms; the doubled cell has 2 N.
        name: Of the potential, for messages.
        rng: Chooses the translation, rotation and order.

    Returns:
        For each of the four the change of the energy, eV/atom, and the largest of a force component, eV/Å.
    """
    random = np.random.default_rng(rng)
    here = respond(calculator, configuration, name=name)
    n = configuration.n_atoms
    rms = max(float(np.sqrt((here.forces_eV_per_A**2).mean())), LEAST_FORCE_EV_PER_A)
    turn = _rotation(random)
    order = random.permutation(n)
    shift = random.uniform(size=3) @ configuration.cell_A
    first = configuration.cell_A[0]
    same: Callable[[np.ndarray], np.ndarray] = lambda f: f  # noqa: E731
    changed = {
        "translation": (_moved(configuration, shift), same),
        "rotation": (_strained(configuration, turn), lambda f: f @ turn),
        "permutation": (_reordered(configuration, order), lambda f: f[order]),
        "supercell": (_doubled(configuration, first), lambda f: np.concatenate([f, f])),
    }
    checks = []
    for what, (other, expected) in changed.items():
        there = respond(calculator, other, name=name)
        energy = abs(there.energy_eV / other.n_atoms - here.energy_eV / n)
        force = float(np.abs(there.forces_eV_per_A - expected(here.forces_eV_per_A)).max())
        checks.append(Check(f"energy under {what}", energy, ENERGY_EV_PER_ATOM, "eV/atom"))
        checks.append(Check(f"forces under {what}", force, FORCE_SHARE * rms, "eV/Å"))
    return tuple(checks)


def check_smoothness(
    calculator: Any,
    configuration: Configuration,
    *,
    path_A: float = PATH_A,
    step_A: float = PATH_STEP_A,
    name: str = "potential",
    rng: np.random.Generator | int = 0,
) -> tuple[Check, Check]:
    """Look for jumps of energy and forces while atoms pass the cut-off of each other.

    All atoms move apart by a uniform strain until the farthest of near neighbours are ``path_A`` farther away, in small
    steps; every pair distance grows, so pairs leave the cut-off one after another wherever it is. Along the path x(s)

    energy: E(s + h) - E(s) minus the trapezium sum of the work, which is O(h³) where the forces are smooth;
    force: the change F(s + h) - F(s), which is O(h) where F is continuous.

    The intervals where these stand out are halved again and again, each time keeping the half with the larger value c.
    What is smooth, however steep, shrinks with the interval, and a jump J stays: J = 2 c(h/2) - c(h) at the end.

    Args:
        calculator: ASE calculator.
        configuration: Atoms; the path strains it by ``path_A`` over 5 Å.
        path_A: Length of the path, in terms of atoms 5 Å apart, Å.
        step_A: h in the same terms, Å.
        name: Of the potential, for messages.
        rng: Chooses the small shear that makes equal distances pass one by one.

    Returns:
        The largest jump of the energy of the cell, eV, and of a force component, eV/Å.
    """
    random = np.random.default_rng(rng)
    skew = random.normal(size=(3, 3))
    skew = 0.3 * (skew + skew.T) / np.abs(skew + skew.T).max()
    direction = (np.eye(3) + skew) / 5.0

    def at(s_A: float) -> _Point:
        growth = np.eye(3) + s_A * direction
        there = _strained(configuration, growth)
        response = respond(calculator, there, name=name)
        # V s : d(strain), the strain being relative to the present cell
        virial = float((response.stress_eV_per_A3 * np.linalg.solve(growth, direction)).sum()) * there.volume_A3
        return _Point(s_A, response.energy_eV, virial, response.forces_eV_per_A)

    points = [at(s_A) for s_A in np.linspace(0.0, path_A, max(4, round(path_A / step_A)) + 1).tolist()]
    limit = JUMP_EV + ROUND_OFF * max(abs(point.energy_eV) for point in points)
    energy, force = (_largest_jump(points, at, change) for change in (_energy_change, _force_change))
    return (
        Check("energy smooth at the cut-off", energy, limit, "eV"),
        Check("forces smooth at the cut-off", force, JUMP_EV_PER_A, "eV/Å"),
    )


class _Point(NamedTuple):
    """A point of a path: its coordinate, the energy, dE/ds by the stress, and the forces."""

    s_A: float
    energy_eV: float
    slope_eV_per_A: float
    forces_eV_per_A: np.ndarray


def _energy_change(a: _Point, b: _Point) -> float:
    """Change of the energy that the work between two points leaves unexplained, eV."""
    work = (a.slope_eV_per_A + b.slope_eV_per_A) / 2.0 * (b.s_A - a.s_A)
    return abs(b.energy_eV - a.energy_eV - work)


def _force_change(a: _Point, b: _Point) -> float:
    return float(np.abs(b.forces_eV_per_A - a.forces_eV_per_A).max())


def _largest_jump(
    points: list[_Point], at: Callable[[float], _Point], change: Callable[[_Point, _Point], float]
) -> float:
    """Return the largest change that is left when the intervals that stand out have been halved to almost nothing."""
    sizes = np.array([change(a, b) for a, b in pairwise(points)])
    around = np.convolve(np.pad(sizes, 1, mode="edge"), [0.5, 0.0, 0.5], mode="valid")
    left = 0.0
    for k in np.argsort(around - sizes)[:SUSPECTS]:
        a, b = points[k], points[k + 1]
        whole = half = change(a, b)
        for _ in range(HALVINGS):
            middle = at((a.s_A + b.s_A) / 2.0)
            a, b = max((a, middle), (middle, b), key=lambda ends: change(*ends))
            whole, half = half, change(a, b)
        left = max(left, 2.0 * half - whole)
    return left


def _derivative(energy: Callable[[float], float], h: float) -> float:
    """Return the derivative at zero, from steps h, h/2, h/4 ... h/16.

    Of the estimates [E(h) - E(-h)]/(2h), each freed of its error in h² by the next, the one is taken that agrees best
    with its neighbour: longer steps see the higher derivatives, shorter ones round-off.
    """
    steps = [h / 2**k for k in range(5)]
    raw = [(energy(s) - energy(-s)) / (2.0 * s) for s in steps]
    better = [(4.0 * fine - coarse) / 3.0 for coarse, fine in pairwise(raw)]
    k = int(np.argmin(np.abs(np.diff(better))))
    return better[k + 1]


def _energy(calculator: Any, configuration: Configuration, name: str) -> float:
    return respond(calculator, configuration, name=name).energy_eV


def _energy_along(calculator: Any, configuration: Configuration, d: np.ndarray, name: str, s_A: float) -> float:
    return _energy(calculator, _moved(configuration, s_A * d), name)


def _energy_strained(calculator: Any, configuration: Configuration, unit: np.ndarray, name: str, e: float) -> float:
    return _energy(calculator, _strained(configuration, np.eye(3) + e * unit), name)


def _moved(configuration: Configuration, by_A: np.ndarray) -> Configuration:
    return replace(configuration, positions_A=configuration.positions_A + by_A, velocities_A_per_ps=None)


def _strained(configuration: Configuration, growth: np.ndarray) -> Configuration:
    """Positions and cell times a matrix, from the right."""
    return replace(
        configuration,
        positions_A=configuration.positions_A @ growth,
        cell_A=configuration.cell_A @ growth,
        velocities_A_per_ps=None,
    )


def _reordered(configuration: Configuration, order: np.ndarray) -> Configuration:
    symbols = tuple(configuration.symbols[k] for k in order)
    return Configuration(symbols, configuration.positions_A[order], configuration.cell_A)


def _doubled(configuration: Configuration, first: np.ndarray) -> Configuration:
    """Two cells side by side along the first lattice vector."""
    positions = configuration.positions_A
    cell = configuration.cell_A * np.array([2.0, 1.0, 1.0])[:, None]
    return Configuration(configuration.symbols * 2, np.concatenate([positions, positions + first]), cell)


def _rotation(random: np.random.Generator) -> np.ndarray:
    """Draw a proper rotation, uniformly."""
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if np.linalg.det(q) > 0 else -q)
