"""What there is to see in structures: tammann structure analyse, and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tammann.cli.options import AsJson, Plot, Quiet, Threads
from tammann.cli.output import format_number, format_with_error, print_json, print_table, print_warnings, progress_bar
from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.characterization import LocalStructure
    from tammann.structures import Configuration


def analyse_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Structures or trajectories, or names of shipped crystals."),
    ],
    cutoff: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A-B[=Å]",
            help="A bonded pair, centre first, and its longest bond, such as Zr-S=3.1; without a length up to the "
            "first minimum of g(r); repeatable.",
        ),
    ] = None,
    rings: Annotated[
        list[str] | None, typer.Option(metavar="A-B", help="Count the rings of this bonded pair; repeatable.")
    ] = None,
    longest_ring: Annotated[int, typer.Option(metavar="N", min=3, max=40, help="Bonds of the longest ring.")] = 12,
    r_max_A: Annotated[
        float | None, typer.Option("--r-max-A", metavar="X", help="Range of g(r); 12 Å, or as the cell allows, to 20.")
    ] = None,
    bin_A: Annotated[float, typer.Option("--bin-A", metavar="X", help="Width of its bins.")] = 0.05,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="Most frames of a file, evenly spread.")] = 200,
    types: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Elements of the atom types of a dump without elements.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Tables (csv) and figures; a new or empty folder.")
    ] = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Analyse local structure: density, g(r), first shells, angles, joints of polyhedra, rings."""
    from tammann.characterization import local_structure
    from tammann.files import check_empty

    cutoffs = _cutoffs(cutoff)
    networks = [_pair(word, "--rings") for word in rings or ()]
    if out is not None:
        check_empty(out)
    names = shortest_names(files)
    found: dict[str, LocalStructure] = {}
    with progress_bar(hidden=quiet) as report:
        for k, (name, file) in enumerate(names.items()):

            def part(done: float, what: str, kelvin: float | None, k: int = k, name: str = name) -> None:
                if report is not None:
                    report((k + done) / len(names), name, None)

            part(0.0, "", None)
            try:
                found[name] = local_structure(
                    frames_of_file(file, frames, types), cutoffs_A=cutoffs, rings=networks, longest_ring=longest_ring,
                    r_max_A=r_max_A, bin_A=bin_A, threads=threads, progress=part,
                )  # fmt: skip
            except DataError as error:
                raise error if Path(file).name in str(error) else DataError(f"{Path(file).name}: {error}") from None
    if out is not None:
        _write(found, out)
    if as_json:
        print_json({name: one.as_dict() for name, one in found.items()})
    elif not quiet:
        _print(found)
        if out is not None:
            print(f"Tables and figures: {out}")


def compare_command(
    reference: Annotated[Path, typer.Argument(help="A structure, a trajectory, a table of g(r), or a folder of them.")],
    model: Annotated[Path, typer.Argument(help="The same, to be held against it; files of the same names.")],
    cutoff_A: Annotated[
        float | None, typer.Option("--cutoff-A", metavar="X", help="Largest distance; half the cell if not given.")
    ] = None,
    from_A: Annotated[float, typer.Option("--from-A", metavar="X", min=0, help="Least distance.")] = 0.0,
    bin_A: Annotated[float, typer.Option("--bin-A", metavar="X", help="Width of the bins of g(r).")] = 0.05,
    plot: Plot = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Compare g(r) of two structures, or of two folders of them: R² of all pairs of elements together, and of each."""
    from tammann.characterization import compare_distributions, compare_folders, load_distribution

    if reference.is_dir() or model.is_dir():
        if plot is not None:
            raise DataError("--plot: expected two files to draw, got folders; name two files.")
        table = compare_folders(reference, model, cutoff_A=cutoff_A, bin_A=bin_A, from_A=from_A, threads=threads)
        rows: list[dict[str, Any]] = table.to_dict("records")
    else:
        pair = [load_distribution(one, cutoff_A=cutoff_A, bin_A=bin_A, threads=threads) for one in (reference, model)]
        one = compare_distributions(*pair, from_A=from_A, cutoff_A=cutoff_A)
        rows = [{"name": model.stem, "r_squared": one.r_squared, "cutoff_A": one.cutoff_A}]
        rows[0] |= {"-".join(elements): value for elements, value in one.by_pair.items()}
        if plot is not None:
            from tammann.plot import save_figure
            from tammann.plot.local_structure import plot_partials

            names = ("reference", "model") if reference.stem == model.stem else (reference.stem, model.stem)
            save_figure(plot_partials(dict(zip(names, pair, strict=True)), cutoff_A=one.cutoff_A), plot)
    if as_json:
        print_json({"comparisons": rows})
        return
    pairs = list(dict.fromkeys(key for row in rows for key in row if key not in ("name", "r_squared", "cutoff_A")))
    lines = [
        [
            row["name"],
            f"{row['cutoff_A']:.3g}",
            *(format_number(row.get(key, float("nan")), ".4f") for key in ("r_squared", *pairs)),
        ]
        for row in rows
    ]
    print_table(["R² of g(r)", "to Å", "all", *pairs], lines)


def _pair(word: str, option: str) -> tuple[str, str]:
    first, _, second = word.partition("-")
    if not (first.isalpha() and second.isalpha()):
        raise DataError(f"{option}: expected two elements, such as Zr-S, got {word!r}.")
    return first, second


def _cutoffs(words: list[str] | None) -> dict[tuple[str, str], float | None] | None:
    """Return the bonded pairs of words such as Zr-S=3.1 or Zr-S, None without any."""
    cutoffs: dict[tuple[str, str], float | None] = {}
    for word in words or ():
        name, sign, number = word.partition("=")
        pair = _pair(name, "--cutoff")
        try:
            length = float(number) if sign else None
        except ValueError:
            raise DataError(f"--cutoff: expected a pair and a length in Å, such as Zr-S=3.1, got {word!r}.") from None
        if pair in cutoffs or pair[::-1] in cutoffs:
            raise DataError(f"--cutoff: expected {name} once, got it twice; leave one out.")
        cutoffs[pair] = length
    return cutoffs or None


def shortest_names(files: list[str]) -> dict[str, str]:
    """Return the files by the shortest names that tell them apart."""
    stems = [Path(file).stem for file in files]
    names = stems if len(set(stems)) == len(stems) else files
    if len(set(names)) < len(names):
        raise DataError("files: expected each once, got one twice; leave it out.")
    return dict(zip(names, files, strict=True))


def frames_of_file(file: str, most: int, types: str | None = None) -> "tuple[Configuration, ...]":
    """Return evenly spread frames of a file."""
    from tammann.characterization.frames import read_frames
    from tammann.structures.crystals import crystal_names, load_crystal

    if file in crystal_names():
        return (load_crystal(file),)
    return read_frames(file, frames=most, types=types)


def _print(found: "dict[str, LocalStructure]") -> None:
    """Print what is worth a look; the rest is in the folder and in JSON."""
    from tammann.characterization.local_structure import angle_maxima

    for name, one in found.items():
        atoms = f"{one.n_atoms} atoms" + (f", {one.n_frames} frames" if one.n_frames > 1 else "")
        print(f"{name}: {one.formula}, {atoms}, {one.density_g_per_cm3:.3f} g/cm³")
    several = len(found) > 1
    coordination, shells, angles, joints, rings = [], [], [], [], []
    for name, one in found.items():
        head = [name] if several else []
        for shell in one.shells:
            numbers = ", ".join(
                f"{n}: {100 * share:.3g} %" + (f" ({shell.bond_lengths_A[n]:.3f} Å)" if n else "")
                for n, share in shell.fractions.items()
                if share >= 0.005
            )
            pair = (shell.centre, shell.neighbour)
            rule = one.rule(pair if pair in one.cutoffs_A else pair[::-1])
            coordination.append(
                [*head, f"{shell.centre}-{shell.neighbour}", f"{shell.cutoff_A:.3g}", rule,
                 format_with_error(shell.mean, shell.stderr), f"{shell.mean_bond_length_A:.3f}", numbers]
            )  # fmt: skip
        for a in one.absorption:
            shells.append(
                [*head, f"{a.centre}-{a.neighbour}", f"{a.coordination:.2f}", f"{a.distance_A:.3f}",
                 f"{a.variance_A2:.4f}", format_number(a.fitted_coordination, ".2f"),
                 format_number(a.fitted_distance_A, ".3f"), format_number(a.fitted_variance_A2, ".4f"),
                 f"{100 * a.misfit:.0f}"]
            )  # fmt: skip
        for angle in one.angles:
            if angle.n_angles:
                maxima = ", ".join(f"{place:.0f}" for place in angle_maxima(angle))
                spread = [f"{angle.mean_deg:.1f}", f"{angle.spread_deg:.1f}", maxima]
                angles.append([*head, "-".join(angle.triplet), *spread])
        for joint in one.joints:
            each = [f"{joint.per_polyhedron[kind]:.2f}" for kind in ("corner", "edge", "face")]
            joints.append([*head, f"{joint.centre} in {joint.ligand}", *each, f"{100 * joint.isolated:.1f}"])
        for elements, ring in one.rings.items():
            bonded = max(1, int(ring.bonded.sum()))
            sizes = ", ".join(f"{size}: {number / bonded:.3f}" for size, number in ring.rings.items()) or "none"
            rings.append([*head, "-".join(elements), str(ring.longest), sizes])
    first = ["structure"] if several else []
    print_table([*first, "bonds", "to Å", "rule", "neighbours", "bond Å", "number: share (bond)"], coordination)
    print_table(
        [*first, "first shell", "N", "R Å", "σ² Å²", "N of EXAFS", "R of EXAFS Å", "σ² of EXAFS Å²", "misfit %"], shells
    )
    if angles:
        print_table([*first, "angle", "mean °", "spread °", "maxima °"], angles)
    if joints:
        print_table([*first, "polyhedra joined to one", "corner", "edge", "face", "isolated %"], joints)
    if rings:
        print_table([*first, "rings", "up to", "size: rings per atom"], rings)
    print_warnings(_notes(found))


def _notes(found: "dict[str, LocalStructure]") -> list[str]:
    by_rule = dict.fromkeys("-".join(pair) for one in found.values() for pair in one.by_minimum)
    if not by_rule:
        return []
    return [
        f"Bonds of {', '.join(by_rule)} end at the first minimum of g(r), which may lie within a shell that is split; "
        "--cutoff A-B=Å gives a length."
    ]


def _write(found: "dict[str, LocalStructure]", out: Path) -> None:
    """Write tables of each structure, and figures of all of them together."""
    import json

    from tammann.characterization import save_distribution
    from tammann.files import json_safe, write_text
    from tammann.plot import local_structure as draw
    from tammann.plot import save_figure

    out.mkdir(parents=True, exist_ok=True)
    for name, one in found.items():
        plain = name.replace("/", "-")
        save_distribution(one.distribution, out / f"{plain}-pair-distributions.csv")
        for kind, table in one.tables().items():
            write_text(out / f"{plain}-{kind.replace('_', '-')}.csv", table.to_csv(index=False, float_format="%.6g"))
    summary = {name: one.as_dict() for name, one in found.items()}
    write_text(out / "summary.json", json.dumps(json_safe(summary), indent=2, ensure_ascii=False) + "\n")

    def save(axes: Any, name: str) -> None:
        save_figure(axes, out / f"{name}.png", dpi=150)

    distributions = {name: one.distribution for name, one in found.items()}
    if len({frozenset(one.species) for one in distributions.values()}) == 1:
        save(draw.plot_partials(distributions), "pair-distributions")
    for centre, ligand in next(iter(found.values())).cutoffs_A:
        alike = {name: one for name, one in found.items() if (centre, ligand) in one.cutoffs_A}
        pair = f"{centre}-{ligand}"
        shells = {name: shell for name, one in alike.items() for shell in one.shells
                  if (shell.centre, shell.neighbour) == (centre, ligand)}  # fmt: skip
        save(draw.plot_coordination(shells), f"coordination-{pair}")
        save(
            draw.plot_running_coordination({n: o.distribution for n, o in alike.items()}, centre, ligand),
            f"running-coordination-{pair}",
        )
        if len(shells) == 1:
            save(draw.plot_bond_lengths(next(iter(shells.values()))), f"bond-lengths-{pair}")
        for triplet in dict.fromkeys(((ligand, centre, ligand), (centre, ligand, centre))):
            angles = {name: angle for name, one in alike.items() for angle in one.angles
                      if angle.triplet == triplet and angle.n_angles}  # fmt: skip
            if angles:
                save(draw.plot_bond_angles(angles), f"angles-{'-'.join(triplet)}")
        joints = {name: joint for name, one in alike.items() for joint in one.joints
                  if (joint.centre, joint.ligand) == (centre, ligand)}  # fmt: skip
        if joints:
            save(draw.plot_connectivity(joints), f"joints-{pair}")
        rings = {name: one.rings[centre, ligand] for name, one in alike.items() if (centre, ligand) in one.rings}
        if any(ring.rings for ring in rings.values()):
            save(draw.plot_rings(rings), f"rings-{pair}")
