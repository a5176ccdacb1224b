"""Folders with recipes, and evolutions in place of runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tammann.workflows.validation import PhaseEvolution, run
from tammann.workflows.validation.settings import AS_WRITTEN
from workflows.validation.made import MOLES, ONE, evolution


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(ONE, encoding="utf-8")
    (tmp_path / "none.yaml").write_text(ONE + "transport: none\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def furnace(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts evolutions in place of runs: all models as ``MOLES`` unless said otherwise."""

    def fill(**moles: np.ndarray) -> None:
        def runs(prepared: Sequence[Any], *_: object) -> list[dict[str, PhaseEvolution]]:
            return [
                {
                    m: {AS_WRITTEN: evolution(moles.get(m.replace("-", "_"), MOLES))}
                    for m in (*each.recipes, "null", "equilibrium")
                }
                for each in prepared
            ]

        monkeypatch.setattr(run, "_run_all", runs)

    return fill
