"""A learned model as a source of transport where no molecular dynamics exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tammann.composition import composition_key
from tammann.diffusivity.features import formula_of
from tammann.diffusivity.model import DiffusivityModel
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.transport import OnsagerCoefficients, TransportTable
from tammann.transport.learned import LEARNED
from tammann.units import A3_IN_M3, BOLTZMANN_J_PER_K


def learned_transport(
    models: DiffusivityModel | Sequence[DiffusivityModel],
    structures: Sequence[Configuration],
    *,
    temperatures_K: Sequence[float],
    name: str = "learned",
    end_members: tuple[str, str] | None = None,
) -> TransportTable:
    """Return Onsager coefficients that follow from predicted diffusivities, flagged as learned, with their errors.

    L_ii = L_self_i = D_i c_i/(kB T), the ions taken to move independently of each other (Nernst and Einstein), as a
    model of tracer diffusivities knows no correlations. Elements that no model was trained for get zero: they are taken
    for an immobile framework, and a warning names them. The standard error of L_ii is that of ln D_i times L_ii, so
    that a furnace that draws within the errors of its table draws within those of the model.

    Args:
        models: One, or one for each mobile ion.
        structures: One for each composition, or several of one composition, of which means are taken.
        temperatures_K: K.
        name: Of the table.
        end_members: As in ``TransportTable``.

    Raises:
        DataError: Two models of one ion, none of the ions in a structure, or a structure that has no features.
    """
    every = (models,) if isinstance(models, DiffusivityModel) else tuple(models)
    known = {model.ion: model for model in every}
    if len(known) != len(every) or not every:
        raise DataError(f"models: expected one for each ion, got {', '.join(m.ion for m in every) or 'none'}.")
    groups: dict[object, list[Configuration]] = {}
    for one in structures:
        groups.setdefault(composition_key(Counter(one.symbols)), []).append(one)
    entries: list[OnsagerCoefficients] = []
    remarks: dict[str, list[str]] = {"far": [], "hot": [], "still": []}
    for frames in groups.values():
        formula, species = formula_of(frames[0]), tuple(dict.fromkeys(frames[0].symbols))
        moving = [ion for ion in species if ion in known]
        if not moving:
            raise DataError(f"{formula}: expected a mobile ion of {', '.join(known)} in it, got {', '.join(species)}.")
        still = [ion for ion in species if ion not in known]
        remarks["still"] += [f"{ion} in {formula}" for ion in still]
        volume = float(np.mean([one.volume_A3 for one in frames]))
        L, error = np.zeros((len(temperatures_K), len(species))), np.zeros((len(temperatures_K), len(species)))
        for ion in moving:
            _, X = known[ion].features({formula: frames}, temperatures_K)
            found = known[ion].predict(X)
            place, count = species.index(ion), frames[0].symbols.count(ion)
            L[:, place] = (
                found.D_m2_per_s * count / (volume * A3_IN_M3) / (BOLTZMANN_J_PER_K * np.array(temperatures_K))
            )
            error[:, place] = L[:, place] * found.stderr
            for kind in ("far", "hot"):
                remarks[kind] += [f"{ion} in {formula} at {T:g} K" for T, odd in
                                  zip(temperatures_K, getattr(found, kind), strict=True) if odd]  # fmt: skip
        for k, temperature_K in enumerate(temperatures_K):
            entries.append(
                OnsagerCoefficients(
                    formula=formula,
                    temperature_K=float(temperature_K),
                    species=species,
                    L=np.diag(L[k]),
                    L_self=L[k],
                    L_stderr=np.diag(error[k]),
                    L_self_stderr=error[k],
                    volume_A3=volume,
                    source=f"{LEARNED}: {', '.join(f'{ion} by {known[ion].name}' for ion in moving)}",
                )
            )
    return TransportTable(name, _source(every), tuple(entries), end_members, _warnings(entries, remarks))


def _source(models: Sequence[DiffusivityModel]) -> str:
    words = []
    for model in models:
        source = model.training.source
        text = source if isinstance(source, str) else "; ".join(dict.fromkeys(source))
        rows = model.training.n_rows
        words.append(f"{LEARNED}: {model.ion} by the model {model.name}, trained on {rows} rows of {text}")
    return ". ".join(words)


def _warnings(entries: Sequence[OnsagerCoefficients], remarks: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    named = ", ".join(dict.fromkeys(entry.formula for entry in entries))
    found = [
        f"Learned, not measured: L of {named} are predicted diffusivities of independent ions; correlations between "
        "ions are not in them."
    ]
    sentences = {
        "still": "No model predicts these elements, which are taken to be immobile: {}.",
        "far": "Unlike what was learned from, farther than 95 % of it is from its other compositions: {}.",
        "hot": "Learned, and at a temperature outside of those learned from: {}.",
    }
    found += [text.format(", ".join(dict.fromkeys(remarks[kind]))) for kind, text in sentences.items() if remarks[kind]]
    return tuple(found)


def fill_transport(measured: TransportTable, learned: TransportTable) -> TransportTable:
    """Return a measured table with learned coefficients of the compositions that it lacks altogether.

    Compositions that have been measured at any temperature stay as they are.

    Args:
        measured: From molecular dynamics or a paper.
        learned: As ``learned_transport`` returns it.
    """
    known = {composition_key(entry.formula) for entry in measured.entries}
    added = tuple(entry for entry in learned.entries if composition_key(entry.formula) not in known)
    if not added:
        return measured
    return replace(
        measured,
        source=f"{measured.source}; {learned.source}",
        entries=measured.entries + added,
        warnings=(*measured.warnings, *learned.warnings),
    )
