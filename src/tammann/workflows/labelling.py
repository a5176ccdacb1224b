"""Labelling of frames as a workflow: a plan, a folder that can be resumed, a result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from tammann.errors import DataError, ResultError, TammannError
from tammann.files import write_text
from tammann.parallel import Progress
from tammann.potentials.dataset import read_dataset
from tammann.potentials.gpaw import GpawLabeller, GpawSettings
from tammann.potentials.labellers import Labeller, PotentialLabeller
from tammann.potentials.labelling import Labelling, label_frames
from tammann.recipe_blocks import number_field
from tammann.strict import Document

PLAN = "label-plan.json"
LOGS = "gpaw-logs"


class LabellingPlan(Document):
    r"""Frames to label, and what labels them.

    Example:
        >>> plan = LabellingPlan.from_text("frames: [melts.extxyz]\nlabeller: gpaw\ngpaw:\n  cutoff_eV: 500.0")
        >>> plan.gpaw.method, plan.workers
        ('gpaw PBE pw 500', 1)
    """

    ERROR: ClassVar[type[TammannError]] = DataError

    frames: tuple[Annotated[str, Field(strict=True, min_length=1, max_length=1000)], ...] = Field(
        min_length=1, max_length=1000, description="a list of files with configurations, such as [melts.extxyz]"
    )
    labeller: Annotated[str, Field(strict=True, min_length=1, max_length=1000)] = Field(
        "chgnet", description="gpaw, or a potential by name, file or module:callable"
    )
    gpaw: GpawSettings = Field(default_factory=GpawSettings, description="a block of settings of GPAW")
    workers: Annotated[int, number_field("a whole number from 1 to 1024", ge=1, le=1024)] = 1
    timeout_s: Annotated[float, number_field("a time for one frame from 0.1 to 1e6 s", ge=0.1, le=1e6)] = 3600.0

    @model_validator(mode="after")
    def _check(self) -> LabellingPlan:
        if self.labeller != "gpaw" and "gpaw" in self.model_fields_set:
            raise ValueError(f"gpaw: expected no such block with the labeller {self.labeller}; remove one of them")
        try:
            self.build_labeller()
        except DataError as error:
            raise ValueError(f"labeller: {str(error).removesuffix('.')}") from None
        return self

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files that it names, frames and a potential, in a directory."""
        names = data.get("frames")
        if isinstance(names, list):
            data = data | {"frames": [str(Path(directory, n)) if isinstance(n, str) else n for n in names]}
        name = data.get("labeller")
        if isinstance(name, str) and Path(directory, name).is_file():
            data = data | {"labeller": str(Path(directory, name))}
        return data

    def build_labeller(self, logs: Path | None = None) -> Labeller:
        """Return the labeller.

        Raises:
            DataError: There is no such potential.
        """
        return GpawLabeller(self.gpaw, logs) if self.labeller == "gpaw" else PotentialLabeller(self.labeller)


def run_labelling(
    plan: LabellingPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Labelling:
    """Label the frames of a plan in a folder.

    The folder holds ``labelled.extxyz``, ``failures.csv`` where frames failed, ``labels.jsonl``, from which the work is
    resumed, the plan, and with GPAW its text output.

    Args:
        plan: What to label, and with what.
        out: Folder; new or empty, or one to resume.
        resume: Continue what is in it; the number of workers and the time-out may change.
        retry_failed: When resuming, try failed frames again.
        progress: Called with the fraction of frames done and the latest.

    Raises:
        DataError: The frames cannot be read, or the labeller cannot be loaded.
        ResultError: The folder holds something else.
    """
    folder = Path(out)
    frames = read_dataset(*plan.frames)
    labeller = plan.build_labeller(folder / LOGS if plan.labeller == "gpaw" else None)
    if folder.is_file():
        raise ResultError(f"{folder} is a file; name a new or empty folder.")
    try:
        return label_frames(
            frames,
            labeller,
            folder,
            workers=plan.workers,
            timeout_s=plan.timeout_s,
            resume=resume,
            retry_failed=retry_failed,
            progress=progress,
        )
    finally:
        if (folder / "labels.jsonl").exists():
            write_text(folder / PLAN, plan.model_dump_json(indent=2) + "\n")
