"""Amounts of phases during a heating programme, and which observations hold in them.

A run of any engine, the geometric null and plain equilibrium all become a `PhaseEvolution`, so that one rule judges
all. Between recorded frames amounts, temperature and time are linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import parse_formula
from tammann.history import History
from tammann.recipe import Recipe
from tammann.workflows.validation.observations import Observation, When

if TYPE_CHECKING:
    import pandas as pd

    from tammann.thermo import Phases

SAME = 1e-9
"""Relative difference below which two numbers count as equal; the bounds of a claim belong to it."""


@dataclass(frozen=True, eq=False)
class PhaseEvolution:
    """Amounts of the condensed phases against the programme; ``R`` realizations, ``F`` frames, ``P`` phases.

    Attributes:
        phases: Formulas of the condensed phases.
        precursors: Formulas of the precursors.
        temperature_K: Shape (F,), K.
        step: Shape (F,), the step of the programme, counted from 1.
        time_h: Shape (F,), hours of the programme, nominal where the recipe has no calibration; two frames between
            which the powder was quenched have the same time.
        hold_h: Shape (B,), length of the hold of each step, h.
        moles: Shape (R, F, P), formula units.
        start: Shape (R, P), formula units of the mixture before heating.
        weights: For each basis the weight of a mole of formula units, shape (P,).
    """

    phases: tuple[str, ...]
    precursors: tuple[str, ...]
    temperature_K: np.ndarray
    step: np.ndarray
    time_h: np.ndarray
    hold_h: np.ndarray
    moles: np.ndarray
    start: np.ndarray
    weights: Mapping[str, np.ndarray]

    @classmethod
    def of_run(cls, history: History, recipe: Recipe) -> PhaseEvolution:
        """Return the evolution of a run; where powder was ground cold, a frame is added for the quenched powder."""
        frames = np.arange(history.stage.size)
        ground = [k for k, step in enumerate(recipe.programme) if step.regrind and k > 0]
        first = np.searchsorted(history.stage, ground)
        taken = np.insert(frames, first, first - 1)
        cold = np.insert(np.zeros(frames.size, dtype=bool), first, True)
        return cls(
            phases=history.phases,
            precursors=tuple(p.phase for p in recipe.precursors),
            temperature_K=np.where(cold, recipe.start_temperature_K, history.temperature_K[taken]),
            step=np.insert(history.stage, first, ground) + 1,
            time_h=history.programme_h[taken],
            hold_h=np.array([step.hold_h for step in recipe.programme]),
            moles=history.moles[:, taken],
            start=history.moles[:, 0],
            weights={
                "mole": np.ones(len(history.phases)),
                "mass": history.molar_mass_kg,
                "volume": history.molar_volume_m3,
            },
        )

    @classmethod
    def of_equilibrium(
        cls, equilibrium: pd.DataFrame, recipe: Recipe, phases: Phases, run: PhaseEvolution
    ) -> PhaseEvolution:
        """Return the evolution of the recipe's mixture in equilibrium at every moment of a run's programme.

        Of ``equilibrium``, with columns ``temperature_K``, ``phase`` and ``mole_fraction``, each frame has the nearest
        temperature; masses and volumes come from ``phases``.
        """
        amounts = {precursor.phase: precursor.ratio for precursor in recipe.precursors}
        names = tuple(dict.fromkeys([*amounts, *equilibrium["phase"].unique()]))
        table = equilibrium.pivot(index="temperature_K", columns="phase", values="mole_fraction").fillna(0.0)
        fractions = table.reindex(columns=list(names), fill_value=0.0).to_numpy()
        temperatures = table.index.to_numpy()
        nearest = np.abs(run.temperature_K[:, None] - temperatures).argmin(axis=1)
        start = np.array([amounts.get(name, 0.0) for name in names])
        # the elements that no gas can carry away give the amount of solid, and with it the conversion
        volatile = {symbol for phase in phases if phase.state == "gas" for symbol in phase.composition}
        atoms = [parse_formula(name) for name in names]
        kept = np.array([sum(n for symbol, n in each.items() if symbol not in volatile) for each in atoms], dtype=float)
        if not start @ kept:
            kept = np.array([sum(each.values()) for each in atoms], dtype=float)
        moles = fractions * ((start @ kept) / (fractions @ kept))[:, None]
        solids = [phases[phases.index(name)] for name in names]
        return replace(
            run,
            phases=names,
            precursors=tuple(amounts),
            moles=moles[nearest][None],
            start=start[None],
            weights={
                "mole": np.ones(len(names)),
                "mass": np.array([phase.molar_mass_kg_per_mol for phase in solids]),
                "volume": np.array([phase.molar_volume_m3_per_mol for phase in solids]),
            },
        )

    @classmethod
    def together(cls, parts: Sequence[PhaseEvolution], recipes: Sequence[Recipe]) -> PhaseEvolution:
        """Return the evolution of a powder whose parts exchange nothing, each in the amounts of its recipe.

        All have the same programme and frames.
        """
        if len(parts) == 1:
            return parts[0]
        names = tuple(dict.fromkeys(name for part in parts for name in part.phases))
        first = parts[0].precursors[0]
        moles, start = [], []
        for part, recipe in zip(parts, recipes, strict=True):
            scale = recipe.precursors[0].ratio / part.start[:, part.phases.index(first)]
            where = [names.index(name) for name in part.phases]
            each = np.zeros((*part.moles.shape[:2], len(names)))
            each[:, :, where] = part.moles * scale[:, None, None]
            begun = np.zeros((len(scale), len(names)))
            begun[:, where] = part.start * scale[:, None]
            moles.append(each)
            start.append(begun)
        known = {
            basis: {n: w for part in parts for n, w in zip(part.phases, part.weights[basis], strict=True)}
            for basis in parts[0].weights
        }
        weights = {basis: np.array([of[name] for name in names]) for basis, of in known.items()}
        return replace(
            parts[0], phases=names, moles=np.sum(moles, axis=0), start=np.sum(start, axis=0), weights=weights
        )

    def conversion(self, precursor: str | None = None) -> np.ndarray:
        """Return the percentage of a precursor that has been used up, shape (R, F).

        By default it is the precursor of which the least is left at the end.
        """
        columns = [self.phases.index(name) for name in ([precursor] if precursor else self.precursors)]
        moles = self.moles[:, :, columns]
        start = np.broadcast_to(self.start[:, None, columns], moles.shape)
        used = 100 * (1 - np.divide(moles, start, out=np.zeros_like(moles), where=start > 0))
        return used[:, :, int(np.median(used[:, -1], axis=0).argmax())]

    def moments(self, when: When) -> list[np.ndarray]:
        """Return the moments that an observation is about, in each realization, as positions on the axis of frames.

        A range consists of the frames in it and of the points at which it is entered and left. A temperature means the
        moment at which the powder first leaves it: in passing on a ramp, at the end of a hold. The array of a
        realization is ascending, and empty where the moment or range is never reached.
        """
        last = int(np.flatnonzero(self.step == (when.step or self.step[-1]))[-1])
        if when.by_conversion:
            low, high = when.from_conversion_percent, when.to_conversion_percent
            used = self.conversion(when.conversion_of)
            return [self._within(row, low, high, when.step) for row in used]
        if when.by_temperature:
            found = self._within(self.temperature_K, when.from_temperature_K, when.to_temperature_K, when.step)
        elif when.temperature_K is not None:
            found = self._within(self.temperature_K, when.temperature_K, when.temperature_K, when.step)
            between = np.interp((found[1:] + found[:-1]) / 2, np.arange(self.step.size), self.temperature_K)
            left = np.flatnonzero(np.abs(between - when.temperature_K) > SAME * when.temperature_K)
            found = found[left[0] if left.size else -1 :][:1]
        elif when.hold_h is not None and when.step is not None:
            moment = self.time_h[last] - self.hold_h[when.step - 1] + when.hold_h
            first = max(0, int(np.flatnonzero(self.step == when.step)[0]) - 1)
            found = np.interp([moment], self.time_h[first : last + 1], np.arange(first, last + 1))
        else:
            found = np.array([float(last)])
        return [found] * len(self.moles)

    def _within(self, values: np.ndarray, low: float | None, high: float | None, step: int | None) -> np.ndarray:
        """Return the positions at which values that are linear between frames lie from low to high."""
        low, high = -np.inf if low is None else low, np.inf if high is None else high
        slack = SAME * max(1.0, *(abs(bound) for bound in (low, high) if np.isfinite(bound)), 0.0)
        inside = (values >= low - slack) & (values <= high + slack)
        # the interval between two frames belongs to the step of the later one, and so does its earlier end; a quench
        # takes no time and passes no temperature
        intervals = np.diff(self.time_h) > 0
        if step is not None:
            intervals &= self.step[1:] == step
        frames = np.append(intervals, False) | np.insert(intervals, 0, False)
        found = np.flatnonzero(inside & frames).astype(float)
        before, after = values[:-1], values[1:]
        for bound in filter(np.isfinite, (low, high)):
            crossed = intervals & ((before - bound) * (after - bound) < 0) & (np.abs(after - before) > slack)
            k = np.flatnonzero(crossed)
            found = np.append(found, k + (bound - before[k]) / (after[k] - before[k]))
        return np.unique(found.round(9))

    def percent(self, realization: int, moments: np.ndarray, basis: str) -> np.ndarray:
        """Return the amounts of all phases at moments, positions on the axis of frames (M,), in percent, (M, P)."""
        amounts = self.moles[realization]
        below = np.clip(np.floor(moments).astype(int), 0, amounts.shape[0] - 1)
        above = np.minimum(below + 1, amounts.shape[0] - 1)
        weight = (moments - below)[:, None]
        between = ((1 - weight) * amounts[below] + weight * amounts[above]) * self.weights[basis]
        return 100 * between / between.sum(axis=1, keepdims=True)

    def holds(
        self, observation: Observation, *, detection_limit_mass_percent: float, basis: str, target: str | None
    ) -> np.ndarray:
        """Return whether an observation holds in each realization, bool (R,); not where its time is never reached.

        Args:
            observation: The observation.
            detection_limit_mass_percent: A phase above it, in percent by mass, counts as present; one that exceeds
                another by no more than that much of the mass is tied with it.
            basis: How amounts are compared: ``mole`` (of formula units), ``mass`` or ``volume``.
            target: The phase that was to be made, for the main impurity.

        Example:
            >>> from tammann.history import History
            >>> from tammann import Recipe
            >>> recipe = Recipe(
            ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
            ...     programme=[{"temperature_K": 1100, "hold_h": 2}, {"temperature_K": 1500, "hold_h": 2}],
            ... )
            >>> run = PhaseEvolution.of_run(History.example(), recipe)
            >>> found = Observation(observation="BaTiO3, mostly", source="invented", major="BaTiO3")
            >>> run.holds(found, detection_limit_mass_percent=1, basis="mole", target=None).tolist()
            [True, True, True, True]
        """
        result = []
        for r, moments in enumerate(self.moments(observation.when)):
            if moments.size == 0:
                result.append(False)
                continue
            amounts, mass = self.percent(r, moments, basis), self.percent(r, moments, "mass")
            visible = mass > detection_limit_mass_percent * (1 + SAME)
            # what is sure of each amount: the detection limit, a mass, less
            sure = amounts - detection_limit_mass_percent * np.divide(
                amounts, mass, out=np.zeros_like(amounts), where=mass > 0
            )
            at_each = self._at_each_moment(observation, amounts, sure, visible, target)
            true = at_each.any() if observation.when.sometime else at_each.all()
            mass = self.percent(r, moments[[0, -1]], "mass")
            result.append(bool(true) and self._over_range(observation, mass, visible, detection_limit_mass_percent))
        return np.array(result)

    def column(self, amounts: np.ndarray, formula: str) -> np.ndarray:
        """Return one phase's column of an array over moments and phases; zeros for a phase that never formed."""
        if formula in self.phases:
            return amounts[:, self.phases.index(formula)]
        return np.zeros(amounts.shape[0], dtype=amounts.dtype)

    def _at_each_moment(
        self,
        observation: Observation,
        amounts: np.ndarray,
        sure: np.ndarray,
        visible: np.ndarray,
        target: str | None,
    ) -> np.ndarray:
        true = np.ones(amounts.shape[0], dtype=bool)
        for formula in (*observation.present, *observation.only):
            true &= self.column(visible, formula)
        for formula in observation.absent:
            true &= ~self.column(visible, formula)
        if observation.only:
            true &= ~visible[:, [k for k, name in enumerate(self.phases) if name not in observation.only]].any(axis=1)
        if observation.major is not None:
            true &= self._is_largest(amounts, sure, observation.major, ())
        if observation.main_impurity is not None:
            true &= self._is_largest(amounts, sure, observation.main_impurity, (*self.precursors, target))
            true &= self.column(visible, observation.main_impurity)
        if observation.more is not None:
            true &= self.column(visible, observation.more[0])
            for first, second in pairwise(observation.more):
                true &= self.column(sure, first) > self.column(amounts, second) + SAME
        for bound in observation.amounts or ():
            amount = self.column(amounts, bound.phase)
            if bound.at_least_percent is not None:
                true &= amount >= bound.at_least_percent * (1 - SAME)
            if bound.at_most_percent is not None:
                true &= amount <= bound.at_most_percent * (1 + SAME) + SAME
        return true

    def _is_largest(
        self, amounts: np.ndarray, sure: np.ndarray, formula: str, except_for: Sequence[str | None]
    ) -> np.ndarray:
        """Return whether what is sure of a phase exceeds all others at each moment: a lead below the limit is a tie."""
        others = [k for k, name in enumerate(self.phases) if name not in (formula, *except_for)]
        return self.column(sure, formula) > amounts[:, others].max(axis=1, initial=0.0) + SAME

    def _over_range(self, observation: Observation, mass: np.ndarray, visible: np.ndarray, limit: float) -> bool:
        """Return whether the claims about a whole range hold; a change smaller than the detection limit is none."""
        change = {formula: float(np.diff(self.column(mass, formula))[0]) for formula in observation.phases}
        true = all(change[formula] > limit for formula in observation.grows)
        true &= all(change[formula] < -limit for formula in observation.shrinks)
        if observation.sooner is not None:
            first = [moments[0] if (moments := np.flatnonzero(self.column(visible, f))).size else np.inf
                     for f in observation.sooner]  # fmt: skip
            # only the first has to appear; those that never do count as later than all
            true &= bool(np.isfinite(first[0]))
            true &= all(a < b or np.isinf(b) for a, b in pairwise(first))
        return true
