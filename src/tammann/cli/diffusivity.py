"""Learned diffusivities: tammann features, and tammann diffusivity train, predict, validate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tammann.cli.options import AsJson, Plot, Quiet
from tammann.cli.output import format_number, format_with_error, print_json, print_table, print_warnings, progress_bar
from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.diffusivity.table import DiffusivityTable
    from tammann.structures import Configuration

app = typer.Typer(
    name="diffusivity",
    help="Learn diffusivities of ions in disordered structures, and predict them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
Structures = Annotated[
    list[str], typer.Argument(metavar="STRUCTURE...", help="Files of structures or trajectories, or shipped crystals.")
]
Temperatures = Annotated[
    list[float] | None, typer.Option("--temperatures", metavar="T...", help="In K, such as 1500 2000.")
]
Table = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="FILE", help="A CSV table, feature_target.dat, or a folder of tammann database; repeatable."
    ),
]
Published = Annotated[bool, typer.Option("--published", help="Download the published table of Li (by pooch), too.")]
Model = Annotated[str, typer.Option("--model", metavar="NAME", help="hybrid, symbolic, forest, boosting, ...")]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of what is drawn.")]


def _print_definitions(wanted: bool) -> None:
    if wanted:
        from textwrap import fill

        from tammann.diffusivity.definitions import FEATURES, SENDEK, ZHENG

        short = {source: source.partition(" et al")[0] for source in (SENDEK, ZHENG)}
        rows = [[one.name, one.unit or "-", fill(one.definition, 56), short[one.source]] for one in FEATURES]
        print_table(["feature", "unit", "definition (L the mobile ion, S the others)", "source"], rows)
        print("\n".join(short))
        raise typer.Exit


SHOWN = ("LNC", "LLB", "PF", "LASD", "LLSD", "SLPW", "density_g_per_cm3")
"""Features in the short table; all are in JSON and in the file."""


def features_command(
    structures: Structures,
    ion: Annotated[str, typer.Option(metavar="X", help="The mobile ion.")] = "Li",
    temperatures: Temperatures = None,
    anion: Annotated[
        str | None,
        typer.Option(
            metavar="X", help="The most electronegative element if not given; 'published' for the last in the alphabet."
        ),
    ] = None,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="Most frames of a file, of which means.")] = 10,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all features as a CSV table.")] = None,
    definitions: Annotated[
        bool,
        typer.Option(
            "--definitions",
            callback=_print_definitions,
            is_eager=True,
            help="Print all features with unit, definition and source, and exit.",
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compute features of disordered structures that diffusivities are learned from: 43 published ones and the density.

    Lengths are in Å, volumes in Å³, densities in g/cm³, moduli in GPa, energies in eV; names with no unit are numbers.
    """
    from tammann.diffusivity.definitions import with_unit
    from tammann.diffusivity.features import features_table
    from tammann.files import write_text

    check_folder("--out", out)
    table = features_table(_frames(structures, frames), temperatures_K=temperatures or [1000.0], ion=ion, anion=anion)
    if not temperatures:
        table = table.drop(columns="temperature_K")
    if out is not None:
        write_text(out, table.to_csv(index=False))
    if as_json:
        print_json(table.to_dict("records"))
    elif not quiet:
        columns = ["name", "formula", *(["temperature_K"] if temperatures else []), *SHOWN]
        rows = [
            [one if isinstance(one, str) else format_number(one, ".4g") for one in row] for row in table[columns].values
        ]
        print_table([with_unit(column) for column in columns], rows)
        if out is not None:
            print(f"All features: {out}")


@app.command("train")
def train_command(
    out: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Where the model is written.")],
    table: Table = None,
    published: Published = False,
    model: Model = "hybrid",
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Learn from tables of diffusivities; errors are of compositions that the model has not seen."""
    from tammann.diffusivity.model import train_model
    from tammann.diffusivity.validation import scores

    check_folder("MODEL.json", out)
    known = _tables(table, published)
    with progress_bar(hidden=quiet) as report:
        trained = train_model(known, model, seed=seed, progress=report)
    trained.save(out)
    found = scores(known.ln_D, known.ln_D + trained.residuals)
    if as_json:
        print_json({"model": model, "file": out, "rows": known.n_rows, "law": trained.law, "errors": vars(found)})
    elif not quiet:
        print(f"{trained!r}")
        if trained.law is not None:
            print(f"ln D (m²/s) = {trained.law}{'' if model == 'symbolic' else ', and what trees add'}")
        print(
            f"On compositions not seen: RMSE of D {found.rmse_D_m2_per_s:.3g} m²/s (R² {found.r2_D:.3f}), "
            f"of ln D {found.rmse_ln_D:.3f}"
        )
        print(f"Model: {out}")


@app.command("predict")
def predict_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="As tammann diffusivity train writes it.")],
    structures: Structures,
    temperatures: Temperatures = None,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="Most frames of a file, of which means.")] = 10,
    confidence: Annotated[float, typer.Option(metavar="X", min=0.01, max=0.999, help="Of the intervals.")] = 0.9,
    transport: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Write a transport table for recipes, flagged as learned."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Predict diffusivities of structures, with intervals and the distance from what the model has seen."""
    from tammann.diffusivity.model import load_model
    from tammann.diffusivity.transport import learned_transport
    from tammann.transport import save_transport

    check_folder("--transport", transport)
    trained = load_model(model)
    given = _frames(structures, frames)
    at = temperatures or sorted(set(trained.training.temperatures_K.tolist()))
    names, X = trained.features(given, at)
    found = trained.predict(X, formulas=names, confidence=confidence)
    energies: dict[str, Any] = found.activation_energies()
    if transport is not None:
        every = [one for some in given.values() for one in some]
        save_transport(learned_transport(trained, every, temperatures_K=at, name=transport.stem), transport)
    if as_json:
        energies = {name: {"Ea_eV": Ea, "Ea_stderr_eV": error} for name, (Ea, error) in energies.items()}
        print_json(
            {
                "ion": trained.ion,
                "confidence": confidence,
                "predictions": found.table().to_dict("records"),
                "activation": energies,
            }
        )
    elif not quiet:
        rows = [
            [
                row.formula, f"{row.temperature_K:g}", f"{row.D_m2_per_s:.3g}", f"{row.D_low_m2_per_s:.3g}",
                f"{row.D_high_m2_per_s:.3g}", f"{row.distance:.3f}", mark,
            ]
            for row, mark in zip(found.table().itertuples(), found.marks, strict=True)
        ]  # fmt: skip
        share = f"{100 * confidence:g} %"
        ends = (f"from ({share})", f"to ({share})")
        print_table(["structure", "K", f"D({trained.ion}) m²/s", *ends, "distance", "mark"], rows)
        print(f"Distance from training, in standard deviations of features; far beyond {found.far_distance:.3f}.")
        if energies:
            cells = [[name, format_with_error(Ea, error)] for name, (Ea, error) in energies.items()]
            print_table(["structure", "Ea eV"], cells)
        print_warnings(found.notes)
        if transport is not None:
            print(f"For recipes, flagged as learned: {transport}")


@app.command("validate")
def validate_command(
    table: Table = None,
    published: Published = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="hybrid, symbolic, ...; repeatable.")
    ] = None,
    folds: Annotated[int, typer.Option(metavar="N", min=2, help="Of the cross-validation.")] = 5,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Draws of the folds.")] = 3,
    plot: Plot = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cross-validate models: folds by composition, and beside them by row, where compositions leak into training.

    "leaked %" is the share of rows left out whose composition is in training at another temperature, a mean over folds.
    """
    from tammann.diffusivity.validation import cross_validate

    known = _tables(table, published)
    names = model or ["symbolic", "hybrid"]
    found = []
    with progress_bar(hidden=quiet) as report:
        for k, name in enumerate(names):
            for grouped in (True, False):

                def part(done: float, what: str, _: float | None, k: int = k, grouped: bool = grouped) -> None:
                    if report is not None:
                        report((k + (done + (not grouped)) / 2.0) / len(names), what, None)

                found.append(
                    cross_validate(known, name, folds=folds, seeds=tuple(range(seeds)), grouped=grouped, progress=part)
                )
    if plot is not None:
        from tammann.plot import save_figure
        from tammann.plot.diffusivities import plot_validations

        save_figure(plot_validations(found), plot)
    if as_json:
        print_json(
            [
                {
                    "model": one.model, "folds": "by composition" if one.grouped else "by row", "leaked": one.leaked,
                    **{key: one.mean(key) for key in ("rmse_D_m2_per_s", "rmse_ln_D", "mae_ln_D", "r2_D", "r2_ln_D")},
                }
                for one in found
            ]
        )  # fmt: skip
    elif not quiet:
        rows = []
        for one in found:
            (D, D_spread), (ln, _), (r2, _) = (one.mean(key) for key in ("rmse_D_m2_per_s", "rmse_ln_D", "r2_D"))
            how = "by composition" if one.grouped else "by row"
            rows.append(
                [one.model, how, f"{D:.3g}", f"{D_spread:.1g}", f"{ln:.3f}", f"{r2:.3f}", f"{100 * one.leaked:.0f}"]
            )
        print_table(["model", "folds", "RMSE of D m²/s", "spread", "of ln D", "R² of D", "leaked %"], rows)


def check_folder(option: str, file: Path | None) -> None:
    """Refuse a file that is a folder or whose folder is not there, before anything is computed."""
    if file is not None and file.is_dir():
        raise DataError(f"{option}: expected a file to write, got the folder {str(file)!r}; name a file in it.")
    if file is not None and not file.parent.is_dir():
        raise DataError(f"{option}: expected a folder that exists, got {str(file.parent)!r}; make it first.")


def _frames(files: list[str], most: int) -> "dict[str, tuple[Configuration, ...]]":
    from tammann.cli.structure_look import frames_of_file, shortest_names

    return {name: tuple(frames_of_file(file, most)) for name, file in shortest_names(files).items()}


def _tables(files: list[str] | None, published: bool) -> "DiffusivityTable":
    """Return all tables joined."""
    from tammann.diffusivity.pooch import fetch_published
    from tammann.diffusivity.table import load_table
    from tammann.workflows.database.store import FILE, open_store

    found: list[Any] = [fetch_published()] if published else []
    for file in files or ():
        path = Path(file)
        is_database = path.suffix == ".sqlite" or (path / FILE).is_file()
        found.append(open_store(path).diffusivity_table() if is_database else load_table(path))
    if not found:
        raise DataError("--table: expected a table to learn from, got none; give one, or --published.")
    whole = found[0]
    for one in found[1:]:
        whole = whole.joined(one)
    return whole
