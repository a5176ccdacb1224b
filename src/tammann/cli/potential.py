"""The commands of machine-learned potentials: tammann potential label, and others."""

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Plot, Quiet
from tammann.cli.output import format_number, print_json, print_table, progress_bar
from tammann.cli.potential_finetune import finetune_command
from tammann.cli.potential_report import report_command

app = typer.Typer(
    name="potential",
    help="Label configurations; train, improve and judge interatomic potentials.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command("label")
def label_command(
    frames: Annotated[
        list[str], typer.Argument(metavar="PLAN.yaml|FRAMES...", help="A plan, or files with configurations.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-labels.")
    ] = None,
    labeller: Annotated[
        str | None, typer.Option(metavar="NAME", help="gpaw, or a potential by name, file or MODULE:CALLABLE.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Frames at a time, a core each.")] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout-s", metavar="X", help="Longest time for one frame.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume, try failed frames again.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compute energies, forces and stresses of configurations.

    Frames that fail are recorded with the reason and skipped; options replace entries of the plan.
    """
    from tammann.workflows.labelling import LabellingPlan, run_labelling

    given: dict[str, Any] = {"labeller": labeller, "workers": workers, "timeout_s": timeout_s}
    given = {key: value for key, value in given.items() if value is not None}
    if len(frames) == 1 and Path(frames[0]).suffix.lower() in (".yaml", ".yml"):
        plan = LabellingPlan.from_file(frames[0], replaced=given)
    else:
        plan = LabellingPlan(**given | {"frames": frames})
    folder = out or Path(f"{Path(frames[0]).stem}-labels")
    with progress_bar(hidden=quiet, window_s=1800.0) as report:
        found = run_labelling(plan, folder, resume=resume, retry_failed=retry_failed, progress=report)
    if as_json:
        failures = [{"frame": f.index, "trajectory": f.trajectory, "reason": f.reason} for f in found.failures]
        file = folder / "labelled.extxyz"
        print_json({"file": file, "labelled": len(found.dataset), "failures": failures})
    elif not quiet:
        _print_summary(found.dataset)
        print(
            f"{len(found.dataset)} of {len(found.dataset) + len(found.failures)} frames: {folder / 'labelled.extxyz'}"
        )
    for failure in found.failures:
        print(f"tammann: frame {failure.index + 1} ({failure.trajectory}): {failure.reason}", file=sys.stderr)
    if found.failures:
        raise typer.Exit(1)


@app.command("active")
def active_command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="What to explore, label and fit.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-active.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Runs and labels at a time.")] = 1,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", metavar="X", min=0.1, help="Longest time for one label.")
    ] = 3600.0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Improve a potential on the configurations that its own runs lead it to.

    Every round makes runs and watches the extrapolation grade, labels what the potential does not know, and fits
    again, until the runs hold nothing new or the rounds are spent.
    """
    from tammann.parallel import pool_if_several
    from tammann.workflows.active_learning import ActiveLearningPlan, run_active_learning
    from tammann.workflows.active_learning.wiring import functions_of

    wanted = ActiveLearningPlan.from_file(plan)
    functions = functions_of(wanted, workers=workers, timeout_s=timeout_s)
    folder = out or Path(f"{plan.stem}-active")
    with progress_bar(hidden=quiet, window_s=1800.0) as report, pool_if_several(workers) as executor:
        found = run_active_learning(
            wanted, folder, **functions._asdict(), resume=resume, progress=report, executor=executor
        )
    if as_json:
        print_json(found.as_dict())
    elif not quiet:
        _print_rounds(found)


def _print_rounds(found: Any) -> None:
    """A line for each round, and why it ended."""
    from tammann.workflows.active_learning import OUTCOMES

    rows = []
    for each in found.rounds:
        explored = each.runs > 0
        errors = each.errors
        rows.append(
            [
                str(each.number),
                f"{each.reached_ps:.4g} of {each.wanted_ps:.4g}" if explored else "-",
                str(sum(each.stopped.values())) if explored else "-",
                f"{100 * each.share_above_select:.3g}" if explored else "-",
                format_number(each.largest_grade, ".3g"),
                f"{each.labelled} of {each.selected or each.labelled}",
                format_number(each.errors_before.get("forces_meV_per_A", math.nan), ".0f"),
                str(each.training_frames or "-"),
                format_number(errors.get("energy_meV_per_atom", math.nan), ".1f"),
                format_number(errors.get("forces_meV_per_A", math.nan), ".0f"),
            ]
        )
    columns = ["round", "ps", "stopped", "% above", "largest grade", "labelled", "meV/Å on new", "frames", "meV/atom"]
    columns += ["meV/Å"]
    print_table(columns, rows)
    ended = OUTCOMES[found.outcome]
    print(f"{ended[0].upper()}{ended[1:]}.")
    print(f"Potential: {found.model}")


@app.command("data")
def data_command(
    frames: Annotated[
        list[str],
        typer.Argument(metavar="FRAMES...", help="Extended XYZ, vasprun.xml, OUTCAR, .traj, .db, GPAW's output."),
    ],
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all frames as one extended XYZ.")] = None,
    deduplicate: Annotated[bool, typer.Option("--deduplicate", help="Leave out frames that repeat another.")] = False,
    energy_above_lowest: Annotated[
        float | None, typer.Option("--energy-above-lowest", metavar="X", help="Leave out those above, eV/atom.")
    ] = None,
    closest_A: Annotated[
        float | None, typer.Option("--closest-A", metavar="X", help="Leave out those with atoms closer, Å.")
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """List what a data set holds, clean it, and draw what it covers."""
    from tammann.potentials import curation
    from tammann.potentials.dataset import read_dataset, write_dataset

    dataset = read_dataset(*frames)
    found = len(dataset)
    if deduplicate:
        dataset = curation.deduplicate(dataset)
    dataset = curation.filter_frames(dataset, energy_above_lowest_eV_per_atom=energy_above_lowest, closest_A=closest_A)
    if write is not None:
        write_dataset(write, dataset)
    if plot is not None and len(dataset):
        from tammann.plot.coverage import plot_coverage
        from tammann.plot.style import save_figure

        save_figure(plot_coverage(dataset), plot)
    if as_json:
        rows = dataset.summary().reset_index().to_dict(orient="records") if len(dataset) else []
        print_json({"frames": found, "kept": len(dataset), "summary": rows})
        return
    _print_summary(dataset)
    print(f"{len(dataset)} of {found} frames, {dataset.n_atoms} atoms{f': {write}' if write else ''}.")


def _print_summary(dataset: Any) -> None:
    """A line for each kind of configuration and composition."""
    if not len(dataset):
        return
    rows = []
    for (config_type, formula), row in dataset.summary().iterrows():
        contacts = {key: value for key, value in row.items() if key.startswith("closest_") and value == value}
        nearest = min(contacts, key=lambda key: contacts[key])
        pair = "-".join(nearest.split("_")[1:3])
        rows.append(
            [
                config_type,
                formula,
                f"{row.frames:.0f}",
                _range(row.lowest_density_g_per_cm3, row.highest_density_g_per_cm3, ".2f"),
                _range(row.lowest_energy_eV_per_atom, row.highest_energy_eV_per_atom, ".3f"),
                format_number(row.largest_force_eV_per_A, ".1f"),
                f"{pair} {contacts[nearest]:.2f}",
            ]
        )
    print_table(["kind", "formula", "frames", "g/cm3", "eV/atom", "max eV/Å", "closest, Å"], rows)


def _range(low: float, high: float, form: str) -> str:
    if math.isnan(low):
        return "-"
    return f"{low:{form}}" if f"{low:{form}}" == f"{high:{form}}" else f"{low:{form}} to {high:{form}}"


@app.command("train")
def train_command(
    frames: Annotated[
        list[str], typer.Argument(metavar="PLAN.yaml|FRAMES...", help="A plan, or files with labelled frames.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-potential.")
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="ace (this package's own), ace-jax, pacemaker, gap, mace, sevennet or chgnet."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR; finished fits are kept.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fit a potential to labelled configurations, whole trajectories of which are kept for testing."""
    from tammann.workflows.training import TrainingPlan, run_training

    given: dict[str, Any] = {} if architecture is None else {"architecture": architecture}
    if len(frames) == 1 and Path(frames[0]).suffix.lower() in (".yaml", ".yml"):
        plan = TrainingPlan.from_file(frames[0], replaced=given)
    else:
        plan = TrainingPlan(**given | {"train": frames})
    folder = out or Path(f"{Path(frames[0]).stem}-potential")
    with progress_bar(hidden=quiet, window_s=1800.0) as report:
        found = run_training(plan, folder, resume=resume, progress=report)
    for note in found.notes:
        print(f"tammann: {note}", file=sys.stderr)
    if as_json:
        print_json(found.as_dict())
    elif not quiet:
        _print_errors(found.errors)
        print(f"Potential: {found.file}")
        if found.low_energy_file is not None:
            _print_errors(found.low_energy_errors)
            print(f"Low-energy version: {found.low_energy_file}")


def _print_errors(errors: Any) -> None:
    """A line for training and test frames."""
    columns = ["RMSE", "meV/atom", "meV/Å", "virial, meV/atom"]
    rows = [[str(name), *(format_number(1000.0 * float(x), ".3g") for x in row)] for name, row in errors.iterrows()]
    print_table(columns, rows)


app.command("report")(report_command)
app.command("finetune")(finetune_command)
