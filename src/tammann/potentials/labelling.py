"""Labels for many configurations: in processes, with time-outs, in a folder from which the work can be resumed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from tammann.errors import DataError, ResultError
from tammann.files import check_empty, digest, json_safe, lock_folder, write_text
from tammann.parallel import Progress
from tammann.potentials.dataset import DataSet, Frame, Label, to_extxyz, write_dataset
from tammann.potentials.label_workers import Labelled, label_in_processes
from tammann.potentials.labellers import Answer, Labeller, PotentialLabeller

RECORD = "labels.jsonl"
LABELLED = "labelled.extxyz"
FAILURES = "failures.csv"


@dataclass(frozen=True)
class LabelFailure:
    """A frame without labels: its index among those given, its trajectory, and why."""

    index: int
    trajectory: str
    reason: str


@dataclass(frozen=True, eq=False)
class Labelling:
    """What labelling gave.

    Attributes:
        dataset: The frames that were labelled, in the order given.
        failures: The others, in the order given.
        folder: Where ``labelled.extxyz``, ``failures.csv`` and the record to resume from, ``labels.jsonl``, are.
    """

    dataset: DataSet
    failures: tuple[LabelFailure, ...]
    folder: Path


def label_frames(
    frames: Iterable[Frame],
    labeller: Labeller | str,
    out: str | os.PathLike[str],
    *,
    workers: int = 1,
    timeout_s: float = 3600.0,
    resume: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Labelling:
    """Label frames with a potential or a program, and write them to a folder.

    Each label is appended to ``labels.jsonl`` as it comes: whatever stops the work, at most the frames in progress are
    lost. A frame that takes too long, raises an error, kills its process or gets a label that is not finite is
    recorded with the reason and skipped. Labels do not depend on the number of workers. Labels that frames have are
    replaced, configurations, kinds and trajectories kept.

    Args:
        frames: What to label.
        labeller: The name, file or import path of a potential (``load_potential``), or any ``Labeller`` such as
            ``GpawLabeller``.
        out: Folder; new or empty, or one to resume.
        workers: Processes, of one thread each.
        timeout_s: Longest time for one frame, s.
        resume: Continue what is in the folder.
        retry_failed: When resuming, try failed frames again.
        progress: Called with the fraction of frames done and the latest.

    Raises:
        DataError: No frames, the labeller cannot be loaded, or a number is out of range.
        ResultError: The folder holds something else, or labels of another labeller or of other frames.
    """
    given = tuple(frames)
    if not given:
        raise DataError("frames: expected at least one to label, got none.")
    if workers < 1 or not timeout_s > 0 or not math.isfinite(timeout_s):
        raise DataError(f"workers, timeout_s: expected numbers above 0, got {workers} and {timeout_s:g}.")
    chosen = PotentialLabeller(labeller) if isinstance(labeller, str) else labeller
    folder = Path(out)
    if not resume or not folder.exists():
        check_empty(folder, advice="name a new folder, or resume (--resume) what is in it")
    folder.mkdir(parents=True, exist_ok=True)
    header = {"labeller": json_safe(chosen.describe()), "frames": len(given), "sha256": _digest(given)}
    with lock_folder(folder, use="being labelled"):
        done = _open_record(folder, header, retry_failed)
        left = [(index, frame.configuration) for index, frame in enumerate(given) if index not in done]
        _report(progress, given, done)
        with open(folder / RECORD, "ab") as record:
            for news in label_in_processes(chosen, left, workers=workers, timeout_s=timeout_s) if left else ():
                if news is None:
                    _report(progress, given, done)
                    continue
                entry = _entry(given[news.frame], news)
                _append(record, entry)
                done[news.frame] = entry
                _report(progress, given, done, news.frame)
        return _finish(folder, given, done, chosen.method)


def _digest(frames: Iterable[Frame]) -> str:
    return digest("".join(to_extxyz(Frame(frame.configuration)) for frame in frames).encode())


def _report(progress: Progress | None, given: tuple[Frame, ...], done: Mapping[int, Any], latest: int = -1) -> None:
    if progress is not None:
        what = f"{len(done)} of {len(given)} frames{f', {given[latest].formula}' if latest >= 0 else ''}"
        progress(len(done) / len(given), what, None)


def _entry(frame: Frame, news: Labelled) -> dict[str, Any]:
    """Return the line of the record for one frame; labels of a wrong shape or not finite are a failure."""
    failure, answer = news.failure, news.answer
    if answer is not None:
        try:
            _labelled(frame, answer)
        except DataError as error:
            failure, answer = str(error), None
    if answer is None:
        return {"frame": news.frame, "failure": failure}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"frame": news.frame, **json_safe(answer._asdict()), "date": date}


def _labelled(frame: Frame, answer: Answer, *, method: str = "", date: str = "") -> Frame:
    run = (frame.label.run if frame.label else "") or frame.trajectory
    return replace(
        frame,
        energy_eV=answer.energy_eV,
        forces_eV_per_A=answer.forces_eV_per_A,
        stress_eV_per_A3=answer.stress_eV_per_A3,
        label=Label(method, answer.source, date, run),
    )


def _append(record: BinaryIO, entry: Mapping[str, Any]) -> None:
    record.write((json.dumps(entry, allow_nan=False) + "\n").encode())
    record.flush()
    os.fsync(record.fileno())


def _open_record(folder: Path, header: dict[str, Any], retry_failed: bool) -> dict[int, dict[str, Any]]:
    """Return what has been labelled in a folder, by index; begin a record, or cut a line that was not finished."""
    path = folder / RECORD
    text = path.read_bytes() if path.exists() else b""
    lines = text[: text.rfind(b"\n") + 1].splitlines()
    if not lines:
        check_empty(folder, advice="it holds no labels to resume; name a new folder")
        write_text(path, json.dumps(header) + "\n")
        return {}
    try:
        there, *entries = [json.loads(line) for line in lines]
        done = {int(entry["frame"]): entry for entry in entries}
    except (ValueError, KeyError, TypeError) as problem:
        raise ResultError(f"{path} is no record of labels ({problem}); name another folder.") from None
    for key, what in (("labeller", "labeller"), ("frames", "number of frames"), ("sha256", "set of frames")):
        if there.get(key) != header[key]:
            raise ResultError(f"{folder} holds labels of another {what}; name another folder.")
    if retry_failed:
        done = {index: entry for index, entry in done.items() if "failure" not in entry}
    if retry_failed or not text.endswith(b"\n"):
        write_text(path, "".join(json.dumps(entry) + "\n" for entry in (there, *done.values())))
    return done


def _finish(folder: Path, given: tuple[Frame, ...], done: Mapping[int, dict[str, Any]], method: str) -> Labelling:
    frames, failures = [], []
    for index, frame in enumerate(given):
        entry = done[index]
        if "failure" in entry:
            failures.append(LabelFailure(index, frame.trajectory, entry["failure"]))
        else:
            answer = Answer(*(entry[name] for name in Answer._fields))
            frames.append(_labelled(frame, answer, method=method, date=entry["date"]))
    dataset = DataSet(tuple(frames))
    write_dataset(folder / LABELLED, dataset)
    if failures:
        rows = [f"{f.index},{_quoted(f.trajectory)},{_quoted(f.reason)}" for f in failures]
        write_text(folder / FAILURES, "\n".join(["frame,trajectory,reason", *rows]) + "\n")
    else:
        with suppress(FileNotFoundError):
            (folder / FAILURES).unlink()
    return Labelling(dataset, tuple(failures), folder)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
