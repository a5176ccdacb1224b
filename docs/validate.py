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

from tammann.workflows.validation import MODELS, Validation, validate

DOCS = Path(__file__).parent
OBSERVATIONS = DOCS.parent / "examples" / "observations"
FILES = ("ba-ti-o", "ba-ti-o-carbonate", "ba-ti-o-particle-size")
ENGINES = {
    "reactive-diffusion": ("full", "self", "equal"),
    "automaton": ("automaton-full", "automaton-self", "automaton-none"),
}


def run_part(name: str, engine: str, folder: Path, threads: int) -> Validation:
    """One file with the models of one engine and the baselines, from the folder if it is there."""
    kept = folder / f"{name}-{engine}.pickle"
    if not kept.exists():
        begun = time.monotonic()
        outcome = validate(OBSERVATIONS / f"{name}.yaml", models=ENGINES[engine], threads=threads)
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
    for row, v in zip(data["observations"], outcome.judgements, strict=True):
        del row["settings"]
        row["over"] = {model: v.over(model) for model in MODELS}
        # where on the axes it fails: at how many settings of each value it holds
        row["by_value"] = {m: by_value(held) for m, held in v.settings.items()}
    return data


def by_value(held: dict[str, bool]) -> dict[str, list[int]]:
    """Of each value of each axis, at how many settings an observation holds, and how many there are."""
    counts: dict[str, list[int]] = {}
    for words, true in held.items():
        for value in words.split(", "):
            count = counts.setdefault(value, [0, 0])
            count[0] += true
            count[1] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, required=True, help="a folder for finished parts")
    parser.add_argument("--again", choices=[*ENGINES], help="an engine whose parts are run again")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
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
