"""The command potential finetune: learning curves of fine-tuning against training from scratch."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import format_number, print_json, print_table, progress_bar

FORCES, ENERGY = "forces_rmse_eV_per_A", "energy_rmse_eV_per_atom"


def finetune_command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="What to train, on which frames.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-curves.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR with the next fit.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fine-tune a foundation model and train its architecture from scratch, on the same frames.

    Every fit is tested on the same frames; curves of the error against the number of training frames are drawn.
    """
    from tammann.workflows.finetuning import FinetuningPlan, run_finetuning

    folder = out or Path(f"{plan.stem}-curves")
    with progress_bar(hidden=quiet, window_s=1800.0) as report:
        found = run_finetuning(FinetuningPlan.from_file(plan), folder, resume=resume, progress=report)
    for note in found.notes:
        print(f"tammann: {note}", file=sys.stderr)
    if as_json:
        print_json({"file": folder / "learning-curves.csv", "before": found.before, "winners": found.winners(FORCES)})
    elif not quiet:
        rows = []
        for (size, mode), group in found.table.groupby(["size", "mode"]):
            spread = [group[q].agg(["mean", "std"]).fillna(0.0) * 1000 for q in (FORCES, ENERGY)]
            cells = [f"{format_number(s['mean'], '.3g')} +- {format_number(s['std'], '.2g')}" for s in spread]
            rows.append([str(size), str(mode), str(len(group)), *cells])
        if found.before:
            cells = [format_number(1000 * found.before[q], ".3g") for q in (FORCES, ENERGY)]
            rows.insert(0, ["0", "before training", "-", *cells])
        print_table(["frames", "mode", "seeds", "forces, meV/Å", "energy, meV/atom"], rows)
        print(f"Root mean square errors on the test frames, +- the standard deviation over seeds: {folder}")
