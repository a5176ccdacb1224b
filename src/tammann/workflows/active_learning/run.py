"""Explore, select, label, train, again and again, until the potential knows where its runs lead it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tammann.errors import DataError, ResultError
from tammann.files import lock_folder, write_text
from tammann.parallel import Progress, run_tasks
from tammann.potentials.curation import check_apart, filter_frames
from tammann.potentials.dataset import DataSet, Frame, read_dataset, split, write_dataset
from tammann.structures import Configuration
from tammann.workflows.active_learning.explore import Exploration
from tammann.workflows.active_learning.folder import (
    FIGURE,
    LABELLED,
    ROUND,
    RUNS,
    SELECTED,
    TABLE,
    TEST,
    State,
    load_active_learning,
    open_active_learning,
    round_folder,
)
from tammann.workflows.active_learning.plan import ActiveLearningPlan
from tammann.workflows.active_learning.propose import Task, initial_configurations, propose
from tammann.workflows.active_learning.rounds import (
    ActiveLearningResult,
    Outcome,
    RoundResult,
    load_round,
    save_round,
    summarize_runs,
)

EXPLORE, LABEL, TRAIN = (0.0, 0.7), (0.7, 0.9), (0.9, 1.0)
"""Shares of a round, for progress only."""


class Labelled(NamedTuple):
    """Frames with energies, forces and stresses, and a sentence on each that could not be labelled."""

    dataset: DataSet
    failures: tuple[str, ...] = ()


class Trained(NamedTuple):
    """A potential in a file, and its errors on the test frames by name with unit."""

    model: Path
    errors: Mapping[str, float]


class LabelFrames(Protocol):
    """Labels frames; ``folder`` may hold what it needs to resume."""

    def __call__(self, frames: DataSet, folder: Path, *, progress: Progress | None = None) -> Labelled:
        """Return the labelled frames in their order."""


class Train(Protocol):
    """Fits a potential and writes it into ``folder``; the same frames give the same potential."""

    def __call__(self, train: DataSet, test: DataSet, folder: Path, *, progress: Progress | None = None) -> Trained:
        """Return the potential and its errors."""


class Simulate(Protocol):
    """Makes one watched run; it can be pickled where an executor of processes is given."""

    def __call__(self, task: Task, model: Path, *, progress: Callable[[float], None] | None = None) -> Exploration:
        """Return what was seen."""


class Evaluate(Protocol):
    """Measures the errors of a potential in a file on labelled frames."""

    def __call__(self, model: Path, frames: DataSet) -> Mapping[str, float]:
        """Return the errors by name with unit."""


class Select(Protocol):
    """Chooses which configurations to label."""

    def __call__(self, configurations: Sequence[Configuration], grades: Sequence[float], model: Path, most: int) -> Any:
        """Return the indices of at most ``most``, those that tell the potential most first."""


def run_active_learning(
    plan: ActiveLearningPlan,
    out: str | os.PathLike[str],
    *,
    label: LabelFrames,
    train: Train,
    simulate: Simulate,
    select: Select,
    evaluate: Evaluate,
    resume: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> ActiveLearningResult:
    """Improve a potential on the configurations that its own runs lead it to.

    Round 0 fits the initial frames. Every round after it proposes runs (``propose``), makes them with the present
    potential, collects configurations whose grade is above ``select_above``, selects at most ``frames_per_round``,
    labels them, adds them to the frames, and fits again. It has converged when no more runs of molecular dynamics were
    stopped than ``criterion.stopped``, and the share of their steps with a grade above ``select_above`` is at most
    ``criterion.share_above``; the potential is then that of the round before. When the rounds are spent the last
    potential is explored once more, so that the result always says how it behaves.

    After every step the folder can be resumed; a resumed run gives what an uninterrupted one gives, provided that the
    functions do.

    Args:
        plan: Plan.
        out: Folder, made where it is missing.
        label: Labels frames.
        train: Fits a potential.
        simulate: Makes a watched run, such as ``explore``.
        select: Chooses among the configurations collected.
        evaluate: Measures how wrong the potential was on the frames that a round has labelled, before it learns them.
        resume: Continue what is in ``out``; the plan may differ from the one there in ``rounds`` and ``criterion``.
        progress: Called with the fraction done of all rounds.
        executor: Where runs of a round are made, several at a time; in this process where None.

    Raises:
        DataError: The initial frames cannot be read, labelled or split.
        ResultError: ``out`` is in use, or holds something else.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        state = open_active_learning(plan, folder, resume=resume)
        run = _Run(plan, folder, state, label, train, simulate, select, evaluate, _rising(progress), executor)
        outcome = run.all_rounds()
        state.remember("outcome", outcome)
    result = load_active_learning(folder)
    write_text(folder / TABLE, result.table().to_csv())
    _draw(result)
    return result


@dataclass(frozen=True)
class _Run:
    plan: ActiveLearningPlan
    out: Path
    state: State
    label: LabelFrames
    train: Train
    simulate: Simulate
    select: Select
    evaluate: Evaluate
    progress: Progress | None
    executor: Executor | None

    def all_rounds(self) -> Outcome:
        """Do what is not done yet, and return why it ended."""
        trained = self._initial()
        for number in range(1, self.plan.rounds + 2):
            folder = round_folder(self.out, number)
            result = self._explore(number, trained)
            if result.meets(self.plan):
                return "converged"
            if number > self.plan.rounds:
                return "rounds"
            self._select(number, trained)
            added = self._label(number)
            if not added:
                return "exhausted"
            self._evaluate(number, trained)
            trained = self._train(number)
            save_round(
                replace(load_round(folder / ROUND), training_frames=len(self._frames(number)), errors=trained.errors),
                folder / ROUND,
            )
        raise AssertionError("the loop returns")

    def _initial(self) -> Trained:
        folder = round_folder(self.out, 0)
        folder.mkdir(exist_ok=True)

        def do() -> dict[str, int]:
            failed = 0
            known = None if self.plan.test is None else read_dataset(self.plan.test)
            if self.plan.initial is not None:
                frames = read_dataset(self.plan.initial)
                if known is not None:
                    check_apart(frames, known)
            else:
                wanted = tuple(
                    Frame(configuration, config_type=kind, trajectory=name)
                    for name, kind, configuration in initial_configurations(self.plan)
                )
                if not wanted:
                    raise DataError(
                        "initial: expected a file of labelled frames, or proposals of searches or crystals."
                    )
                if known is not None:  # trajectories made here may have names of the file by chance
                    check_apart(DataSet(tuple(replace(frame, trajectory="") for frame in wanted)), known)
                labelled = self.label(DataSet(wanted), folder, progress=self._part(0, LABEL, "labelling"))
                frames, failed = labelled.dataset, len(labelled.failures)
            kept = filter_frames(frames, largest_force_eV_per_A=self.plan.largest_force_eV_per_A)
            counts = {"labelled": len(frames), "failed": failed, "discarded": len(frames) - len(kept)}
            if known is None:
                kept, known = split(kept, "trajectory", self.plan.test_fraction, self.plan.seed)
            write_dataset(folder / TEST, known)
            write_dataset(folder / LABELLED, kept)
            return counts

        counts = self.state.step("round-0/label", do)
        trained = self._train(0)
        save_round(
            RoundResult(0, training_frames=len(self._frames(0)), errors=trained.errors, **counts), folder / ROUND
        )
        return trained

    def _frames(self, number: int) -> DataSet:
        """Return the frames to fit in a round: those labelled in it and in all rounds before."""
        return read_dataset(*(round_folder(self.out, k) / LABELLED for k in range(number + 1)))

    def _train(self, number: int) -> Trained:
        folder = round_folder(self.out, number)

        def do() -> dict[str, Any]:
            test = read_dataset(round_folder(self.out, 0) / TEST)
            found = self.train(self._frames(number), test, folder, progress=self._part(number, TRAIN, "training"))
            errors = {key: float(value) for key, value in found.errors.items()}
            return {"model": os.path.relpath(found.model, self.out), "errors": errors}

        done = self.state.step(f"round-{number}/train", do)
        return Trained(self.out / done["model"], done["errors"])

    def _explore(self, number: int, trained: Trained) -> RoundResult:
        folder = round_folder(self.out, number)

        def do() -> None:
            (folder / RUNS).mkdir(parents=True, exist_ok=True)
            tasks = propose(self.plan, number)
            left = [task for task in tasks if _finished(folder / RUNS / f"{task.name}.npz") is None]
            total, done = sum(task.cost for task in tasks), sum(task.cost for task in tasks if task not in left)
            share = self._part(number, EXPLORE, "exploring")
            function = partial(_make_run, self.simulate, trained.model, folder / RUNS)
            for group in _groups(left, together=self.executor is not None):
                cost = sum(task.cost for task in group)

                def report(
                    fraction: float, what: str, temperature_K: float | None, *, at: float = done, cost: float = cost
                ) -> None:
                    if share is not None:
                        share((at + fraction * cost) / total, what, temperature_K)

                run_tasks(function, {t.name: (t,) for t in group}, executor=self.executor, progress=report)
                done += cost
            explorations = [(task.kind, _known(folder / RUNS / f"{task.name}.npz")) for task in tasks]
            summary = summarize_runs(
                number, explorations, select_above=self.plan.select_above, stop_above=self.plan.stop_above
            )
            save_round(summary, folder / ROUND)

        self.state.step(f"round-{number}/explore", do)
        return load_round(folder / ROUND)

    def _select(self, number: int, trained: Trained) -> None:
        folder = round_folder(self.out, number)

        def do() -> int:
            found = [
                (task, configuration, grade)
                for task in propose(self.plan, number)
                for run in [_known(folder / RUNS / f"{task.name}.npz")]
                for configuration, grade in zip(run.configurations, run.collected_grades, strict=True)
            ]
            chosen: list[int] = []
            if found:
                _, configurations, grades = zip(*found, strict=True)
                chosen = list(self.select(configurations, grades, trained.model, self.plan.frames_per_round))
            frames = [
                Frame(found[k][1], config_type=found[k][0].kind, trajectory=f"round-{number}/{found[k][0].name}")
                for k in sorted(set(map(int, chosen)))
            ]
            write_dataset(folder / SELECTED, frames)
            return len(frames)

        self.state.step(f"round-{number}/select", do)

    def _label(self, number: int) -> int:
        folder = round_folder(self.out, number)

        def do() -> int:
            chosen = self.state.done[f"round-{number}/select"]
            labelled = Labelled(DataSet(()))
            if chosen:
                wanted = read_dataset(folder / SELECTED)
                labelled = self.label(wanted, folder, progress=self._part(number, LABEL, "labelling"))
            kept = filter_frames(labelled.dataset, largest_force_eV_per_A=self.plan.largest_force_eV_per_A)
            write_dataset(folder / LABELLED, kept)
            counts = {
                "selected": chosen,
                "labelled": len(kept),
                "failed": len(labelled.failures),
                "discarded": len(labelled.dataset) - len(kept),
            }
            save_round(replace(load_round(folder / ROUND), **counts), folder / ROUND)
            return len(kept)

        added: int = self.state.step(f"round-{number}/label", do)
        return added

    def _evaluate(self, number: int, trained: Trained) -> None:
        """Measure the model of the round before on the frames labelled in this one."""
        folder = round_folder(self.out, number)

        def do() -> None:
            found = self.evaluate(trained.model, read_dataset(folder / LABELLED))
            errors = {name: float(value) for name, value in found.items()}
            save_round(replace(load_round(folder / ROUND), errors_before=errors), folder / ROUND)

        self.state.step(f"round-{number}/evaluate", do)

    def _part(self, number: int, part: tuple[float, float], what: str) -> Progress | None:
        """Return the progress of one step of a round, as a part of the whole."""
        if self.progress is None:
            return None
        progress, rounds = self.progress, self.plan.rounds + 2

        def report(fraction: float, detail: str = "", temperature_K: float | None = None) -> None:
            begin, end = part
            text = f"round {number} of {self.plan.rounds}, {what}{f' {detail}' if detail else ''}"
            progress(min(1.0, (number + begin + (end - begin) * fraction) / rounds), text, temperature_K)

        report(0.0)
        return report


def _rising(progress: Progress | None) -> Progress | None:
    """Return a progress whose fraction never falls, though parts of a step are told one by one."""
    if progress is None:
        return None
    highest = 0.0

    def report(fraction: float, what: str, temperature_K: float | None) -> None:
        nonlocal highest
        highest = max(highest, fraction)
        progress(highest, what, temperature_K)

    return report


def _make_run(simulate: Simulate, model: Path, folder: Path, task: Task, progress: Progress | None = None) -> None:
    """Make one run and write down what was seen; in a process of an executor there is no progress."""

    def report(fraction: float) -> None:
        if progress is not None:
            progress(fraction, "", task.temperature_K)

    simulate(task, model, progress=report).save(folder / f"{task.name}.npz")


def _groups(tasks: Sequence[Task], *, together: bool) -> list[list[Task]]:
    """Return the tasks one by one, or all in one group, the longest first, so that no core waits long at the end."""
    if together:
        return [sorted(tasks, key=lambda task: -task.cost)] if tasks else []
    return [[task] for task in tasks]


def _finished(file: Path) -> Exploration | None:
    """Return a run that is there and whole."""
    with suppress(ResultError):
        return Exploration.load(file)
    return None


def _known(file: Path) -> Exploration:
    return Exploration.load(file)


def _draw(result: ActiveLearningResult) -> None:
    from tammann.plot import save_figure
    from tammann.plot.active_learning import active_learning_figure

    plan = result.plan
    figure = active_learning_figure(result.table(), select_above=plan.select_above, stop_above=plan.stop_above)
    save_figure(figure, result.out / FIGURE, dpi=120)
