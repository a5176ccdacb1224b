"""What docs/validation.md quotes: the shipped observations in all models, into docs/validation.json.

    python docs/validate.py --parts DIR              run what DIR does not hold yet, then write the file
    python docs/validate.py --parts DIR --again automaton   run the automaton's models and the null again

A part is one file of observations with the models of one engine, a few minutes of one core. It is kept in DIR, so that
a run that was stopped goes on, and an engine that has changed is run alone. Then: python docs/fill.py
"""

import argparse
import json
import pickle
import time
from dataclasses import replace
from pathlib import Path

from tammann.recipe import Recipe
from tammann.workflows.validation import MODELS, Judgement, Range, Validation, run, validate
from tammann.workflows.validation.settings import AS_WRITTEN, settings

DOCS = Path(__file__).parent
OBSERVATIONS = DOCS.parent / "examples" / "observations"
FILES = ("ba-ti-o", "ba-ti-o-carbonate", "ba-ti-o-particle-size")
CELLS = 20
"""Per edge of the automaton's grid as the recipes are written."""
PARTICLE_CELLS = 30
"""Along a particle of reactive diffusion away from the recipes as written: a quarter of the time."""
ENGINES = {
    "reactive-diffusion": ("full", "self", "equal"),
    "automaton": ("automaton-full", "automaton-self", "automaton-none"),
}


def coarse_settings(recipe: Recipe, limits: Range | None) -> dict[str, tuple[Recipe, ...]]:
    """The settings of a recipe, with shorter chains where it is not the recipe as written."""
    found = settings(recipe, limits)
    if recipe.engine == "automaton":
        return found
    chain = {**recipe.diffusion.model_dump(), "cells": PARTICLE_CELLS}
    return {
        words: parts if words == AS_WRITTEN else tuple(r.with_options(diffusion=chain) for r in parts)
        for words, parts in found.items()
    }


def run_part(name: str, engine: str, folder: Path, threads: int) -> Validation:
    """One file with the models of one engine and the baselines, from the folder if it is there."""
    kept = folder / f"{name}-{engine}.pickle"
    if not kept.exists():
        begun = time.monotonic()
        outcome = validate(OBSERVATIONS / f"{name}.yaml", models=ENGINES[engine], size=CELLS, threads=threads)
        kept.write_bytes(pickle.dumps(outcome))
        print(f"{name}, {engine}: {time.monotonic() - begun:.0f} s", flush=True)
    outcome = pickle.loads(kept.read_bytes())
    assert isinstance(outcome, Validation)
    return outcome


def joined(first: Validation, second: Validation) -> Validation:
    """Two validations of the same observations with different models; baselines are the second's."""
    judgements = tuple(
        replace(
            a,
            shares={m: b.shares[m] if b.shares[m] is not None else a.shares[m] for m in MODELS},
            found={**a.found, **b.found},
            settings={**a.settings, **b.settings},
        )
        for a, b in zip(first.judgements, second.judgements, strict=True)
    )
    return replace(first, judgements=judgements)


def figures(outcome: Validation) -> dict[str, object]:
    """What the page quotes, with the number of settings in place of each."""
    data = outcome.to_dict()
    # a model against itself: how many statements hold in it
    data["satisfied"] = {
        model: {key: getattr(outcome.skill(model, model), key) for key in ("counted", "satisfied")} for model in MODELS
    }
    for row, v in zip(data["observations"], outcome.judgements, strict=True):
        del row["settings"]
        row["over"] = {model: v.over(model) for model in MODELS}
    data["where"] = {model: where(outcome, model) for model in ENGINES["reactive-diffusion"]}
    return data


def where(outcome: Validation, model: str) -> dict[str, int]:
    """How many statements hold in a model of reactive diffusion at more than half of the settings with one value."""
    values = dict.fromkeys(v for judged in outcome.judgements for s in _named(judged, model) for v in s.split(", "))
    return {value: _at(outcome, model, value).skill(model, model).satisfied for value in sorted(values)}


def _at(outcome: Validation, model: str, value: str) -> Validation:
    """The validation at the settings with one value only."""
    judgements = []
    for v in outcome.judgements:
        held = {words: true for words, true in _named(v, model).items() if value in words.split(", ")}
        judgements.append(replace(v, settings={**v.settings, model: held}))
    return replace(outcome, judgements=tuple(judgements))


def _named(v: Judgement, model: str) -> dict[str, bool]:
    """The settings of an observation, the recipe as written by its values; the shipped recipes are mixed to 0.02."""
    names = {AS_WRITTEN: "size x1, mixing 0.02, time x1"}
    return {names.get(words, words): true for words, true in v.settings.get(model, {}).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, required=True, help="a folder for finished parts")
    parser.add_argument("--again", choices=[*ENGINES], help="an engine whose parts are run again")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    run.settings = coarse_settings
    asked.parts.mkdir(parents=True, exist_ok=True)
    if asked.again:
        for name in FILES:
            (asked.parts / f"{name}-{asked.again}.pickle").unlink(missing_ok=True)
    parts = {engine: [run_part(name, engine, asked.parts, asked.threads) for name in FILES] for engine in ENGINES}
    found = {name: figures(joined(*both)) for name, *both in zip(FILES, *parts.values(), strict=True)}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (DOCS / "validation.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
