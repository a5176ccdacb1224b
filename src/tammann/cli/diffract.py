"""The command that computes powder patterns: diffract."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tammann.cli.options import AsJson, Plot, Quiet, Threads, parse_numbers
from tammann.cli.output import format_number, print_json, print_table, print_warnings, progress_bar
from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.characterization.diffraction import Agreement, Diffraction, Peak, Resolution, WilliamsonHall
    from tammann.structures import Configuration

STRONGEST = 12
"""Peaks of a table."""
LEAST_PEAK = 0.01
"""Height of the lowest peak listed, over the highest."""
WIDER = 1.1
"""Width of a peak that tells a size, over that of the instrument; what is left of narrower ones is error."""
WORST_FIT = 0.05
"""Misfit, in parts of the height, of peaks that tell a size; overlapping ones fit worse."""


def diffract_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Structures or trajectories, or names of shipped crystals.")
    ],
    radiation: Annotated[Literal["xray", "neutron"], typer.Option(help="What is scattered.")] = "xray",
    wavelength: Annotated[
        str | None, typer.Option(metavar="NAME|Å", help="Gives a two-theta axis: CuKa1, MoKa1, ... or a length.")
    ] = None,
    sample: Annotated[
        Literal["box", "cluster"] | None,
        typer.Option(help="Repeated for ever, or alone in vacuum; as the file says if not given."),
    ] = None,
    q_min: Annotated[float, typer.Option("--q-min", metavar="X", help="Range of Q, 1/Å.")] = 0.5,
    q_max: Annotated[float, typer.Option("--q-max", metavar="X", help="Its end, 1/Å.")] = 8.0,
    q_step: Annotated[float, typer.Option("--q-step", metavar="X", help="Its steps, 1/Å.")] = 0.005,
    r_max_A: Annotated[float, typer.Option("--r-max-A", metavar="X", help="Range of G(r).")] = 30.0,
    frames: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most frames of a file, evenly spread: their mean is computed.")
    ] = 20,
    frame: Annotated[
        int | None, typer.Option(metavar="K", help="Only this frame, from 0, or from -1 at the end.")
    ] = None,
    types: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Elements of the atom types of a dump without elements.")
    ] = None,
    lorch: Annotated[
        bool, typer.Option("--lorch", help="Window of Lorch in G(r): fewer ripples, wider peaks.")
    ] = False,
    b_iso_A2: Annotated[
        list[str] | None,
        typer.Option(
            "--b-iso-A2", metavar="[A=]X", help="Displacement parameter B of all or of an element; repeatable."
        ),
    ] = None,
    fwhm: Annotated[
        float | None,
        typer.Option(metavar="X", help="Width of the instrument, 1/Å; 0.02 for a box, none for a cluster."),
    ] = None,
    relative_fwhm: Annotated[float, typer.Option(metavar="X", help="Width in parts of Q, added to it.")] = 0.0,
    eta: Annotated[float, typer.Option(metavar="X", help="Share of the Lorentzian in the instrument.")] = 0.0,
    measured: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Pattern or G(r) to compare with, in two or three columns.")
    ] = None,
    measured_axis: Annotated[
        Literal["Q", "two-theta", "r"] | None,
        typer.Option(help="Its first column; r of a .gr file, else two-theta with --wavelength, else Q."),
    ] = None,
    background: Annotated[
        int | None,
        typer.Option(metavar="N", help="Degree of a background fitted to the measurement; none if not given."),
    ] = None,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Sizes of grains by Scherrer, and by Williamson and Hall.")
    ] = False,
    near: Annotated[
        list[float] | None,
        typer.Option("--near", metavar="Q", help="With --sizes, only the peak at this Q; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Patterns and G(r) as csv, and figures; a new or empty folder.")
    ] = None,
    plot: Plot = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compute powder patterns and G(r) of structures, and hold them against a measured one.

    Of several frames in a file it is the mean. A periodic structure is repeated for ever (non-uniform Fourier
    transform); one without a cell is a cluster in vacuum (Debye sum).
    """
    from tammann.characterization.diffraction import diffract, read_measured
    from tammann.files import check_empty

    if out is not None:
        check_empty(out)
    length = _wavelength(wavelength)
    resolution = _resolution(fwhm, relative_fwhm, eta)
    motion = _displacements(b_iso_A2)
    if near and not sizes:
        raise DataError("--near: expected with --sizes, got without; add it or leave --near out.")
    curve = None if measured is None else read_measured(measured)
    axis = measured_axis or ("r" if measured and measured.suffix.lower() == ".gr" else "two-theta" if length else "Q")
    if curve is not None and axis == "two-theta" and length is None:
        raise DataError("--measured-axis two-theta: expected a --wavelength, got none; name the line or its length.")
    found: dict[str, _Found] = {}
    names = _names(files)
    with progress_bar(hidden=quiet) as report:
        for k, (name, file) in enumerate(names.items()):
            if report is not None:
                report(k / len(names), name, None)
            try:
                structures, periodic = _structures(file, frames, frame, types)
                kind: Literal["box", "cluster"] = sample or ("box" if periodic else "cluster")
                computed = diffract(
                    structures, sample=kind, q_min_per_A=q_min, q_max_per_A=q_max, q_step_per_A=q_step,
                    r_max_A=r_max_A, radiation=radiation, wavelength=length, b_iso_A2=motion, resolution=resolution,
                    lorch=lorch, threads=threads,
                )  # fmt: skip
                agreement = None if curve is None else _compare(computed, curve, axis, background)
                size_peaks, hall = _sizes(computed, near) if sizes else (None, None)
                found[name] = _Found(structures, kind, computed, _peaks(computed), agreement, size_peaks, hall)
            except DataError as error:
                raise error if Path(file).name in str(error) else DataError(f"{Path(file).name}: {error}") from None
    if out is not None:
        _write(found, out, length, axis)
    if plot is not None:
        from tammann.plot import save_figure
        from tammann.plot.diffraction import plot_patterns

        save_figure(plot_patterns({n: o.diffraction.pattern for n, o in found.items()}, wavelength=length), plot)
    if as_json:
        print_json({name: one.as_dict() for name, one in found.items()})
    elif not quiet:
        _print(found, axis)
        if out is not None:
            print(f"Patterns, G(r) and figures: {out}")


@dataclass(frozen=True, eq=False)
class _Found:
    """What is known of one file: its frames, how they were taken, pattern, and what was asked for."""

    structures: "tuple[Configuration, ...]"
    sample: str
    diffraction: "Diffraction"
    peaks: list[dict[str, float]]
    agreement: "Agreement | None" = None
    size_peaks: "list[tuple[Peak, float]] | None" = None
    hall: "WilliamsonHall | None" = None

    def as_dict(self) -> dict[str, Any]:
        pattern = self.diffraction.pattern
        found: dict[str, Any] = {
            "atoms": self.structures[0].n_atoms,
            "frames": len(self.structures),
            "sample": self.sample,
            "radiation": pattern.radiation,
            "wavelength_A": self.diffraction.wavelength_A,
            "peaks": self.peaks,
            "q_per_A": pattern.q_per_A,
            "intensity_per_atom": pattern.intensity,
            "r_A": self.diffraction.pair_function.r_A,
            "G_per_A2": self.diffraction.pair_function.G_per_A2,
            "notes": pattern.notes,
        }
        if self.diffraction.wavelength_A is not None:
            found |= {"two_theta_deg": self.diffraction.two_theta_deg, "counts": self.diffraction.counts}
        if self.agreement is not None:
            found["measured"] = {"r_w": self.agreement.r_w, "scale": self.agreement.scale}
        if self.size_peaks is not None:
            found["sizes"] = [
                {"q_per_A": peak.q_per_A, "fwhm_per_A": peak.fwhm_per_A, "misfit": peak.misfit, "scherrer_A": diameter}
                for peak, diameter in self.size_peaks
            ]
            hall = self.hall
            found["williamson_hall"] = None if hall is None else {
                "diameter_A": hall.diameter_A, "diameter_stderr_A": hall.diameter_stderr_A, "strain": hall.strain,
                "strain_stderr": hall.strain_stderr, "peaks": len(hall.q_per_A),
            }  # fmt: skip
        return found


def _names(files: list[str]) -> dict[str, str]:
    """Return the files by the shortest names that tell them apart."""
    stems = [Path(file).stem for file in files]
    names = stems if len(set(stems)) == len(stems) else files
    if len(set(names)) < len(names):
        raise DataError("files: expected each once, got one twice; leave it out.")
    return dict(zip(names, files, strict=True))


def _structures(
    file: str, frames: int, frame: int | None, types: str | None
) -> "tuple[tuple[Configuration, ...], bool]":
    from tammann.characterization.frames import read_sample_frames
    from tammann.structures.crystals import crystal_names, load_crystal

    if file in crystal_names():
        return (load_crystal(file),), True
    return read_sample_frames(file, frames=frames, frame=frame, types=types)


def _wavelength(word: str | None) -> float | None:
    if word is None:
        return None
    from tammann.characterization.diffraction import wavelength_of

    try:
        value: str | float = float(word)
    except ValueError:
        value = word
    return wavelength_of(value)


def _resolution(fwhm: float | None, relative: float, eta: float) -> "Resolution | None":
    from tammann.characterization.diffraction import Resolution
    from tammann.characterization.diffraction.powder import FWHM_PER_A

    if fwhm is None and not relative and not eta:
        return None
    constant = (0.0 if relative else FWHM_PER_A) if fwhm is None else fwhm
    return Resolution(constant, relative_fwhm=relative, eta=eta)


def _displacements(words: list[str] | None) -> dict[str, float] | float | None:
    if words and len(words) == 1 and "=" not in words[0]:
        words = [f"all={words[0]}"]
    numbers = parse_numbers(words, "--b-iso-A2", "B in Å², such as 0.5, or S=0.8 for an element")
    return numbers["all"] if numbers and set(numbers) == {"all"} else numbers


def _peaks(found: "Diffraction") -> list[dict[str, float]]:
    """Return the maxima of a pattern, the strongest first."""
    from scipy.signal import find_peaks

    pattern = found.pattern
    y = pattern.intensity if found.wavelength_A is None else found.counts
    tops, _ = find_peaks(y, prominence=LEAST_PEAK * float(y.max()))
    angles = None if found.wavelength_A is None else found.two_theta_deg
    rows = []
    for top in sorted(tops.tolist(), key=lambda k: -y[k]):
        row = {"q_per_A": float(pattern.q_per_A[top]), "d_A": 2.0 * math.pi / float(pattern.q_per_A[top])}
        if angles is not None:
            row["two_theta_deg"] = float(angles[top])
        rows.append(row | {"height": float(y[top] / y.max())})
    return rows


def _compare(found: "Diffraction", curve: Any, axis: str, background: int | None) -> "Agreement":
    from tammann.characterization.diffraction import compare_with_measured

    if axis == "r":
        x, y = found.pair_function.r_A, found.pair_function.G_per_A2
    elif axis == "Q":
        x, y = found.pattern.q_per_A, found.pattern.intensity
    else:
        x, y = found.two_theta_deg, found.counts
    return compare_with_measured(curve, x, y, background_degree=background)


def _sizes(found: "Diffraction", near: list[float] | None) -> "tuple[list[tuple[Peak, float]], WilliamsonHall | None]":
    """Return the peaks with sizes by Scherrer, NaN where there is none to tell, and the line through them."""
    import numpy as np

    from tammann.characterization.diffraction import fit_peaks, scherrer_diameter, williamson_hall

    pattern = found.pattern
    peaks = []
    for peak in fit_peaks(pattern.q_per_A, pattern.intensity, near_per_A=near):
        own = 0.0 if pattern.resolution is None else float(pattern.resolution.fwhm_at(np.array([peak.q_per_A]))[0])
        measurable = peak.fwhm_per_A > WIDER * own and peak.misfit < WORST_FIT
        peaks.append((peak, scherrer_diameter(peak, resolution=pattern.resolution) if measurable else math.nan))
    good = [peak for peak, diameter in peaks if math.isfinite(diameter)]
    return peaks, williamson_hall(good, resolution=pattern.resolution) if len(good) >= 3 else None


def _print(found: dict[str, _Found], axis: str) -> None:
    several = len(found) > 1
    head = ["structure"] if several else []
    for name, one in found.items():
        pattern, kind = one.diffraction.pattern, "a periodic box" if one.sample == "box" else "a cluster in vacuum"
        beam = "X-rays" if pattern.radiation == "xray" else "neutrons"
        length = one.diffraction.wavelength_A
        waves = "" if length is None else f" of {length:g} Å"
        q = pattern.q_per_A
        n = len(one.structures)
        atoms = f"{one.structures[0].n_atoms} atoms" + (f", mean of {n} frames," if n > 1 else "")
        print(f"{name}: {atoms} as {kind}, {beam}{waves}, Q from {q[0]:.3g} to {q[-1]:.3g} per Å")
    with_angles = any(one.diffraction.wavelength_A is not None for one in found.values())
    rows = [
        [*([name] if several else []), f"{peak['q_per_A']:.3f}", f"{peak['d_A']:.3f}",
         *([f"{peak['two_theta_deg']:.2f}"] if with_angles else []), f"{100 * peak['height']:.1f}"]
        for name, one in found.items() for peak in one.peaks[:STRONGEST]
    ]  # fmt: skip
    print_table([*head, "Q per Å", "d Å", *(["2 theta °"] if with_angles else []), "height %"], rows)
    agreements = {name: one.agreement for name, one in found.items() if one.agreement is not None}
    if agreements:
        rows = [
            [name, f"{100 * a.r_w:.2f}", f"{a.scale:.4g}", str(len(a.measured.x))] for name, a in agreements.items()
        ]
        print_table([f"against the measurement in {axis}", "R_w %", "scale", "points"], rows)
    if any(one.size_peaks is not None for one in found.values()):
        rows = [
            [*([name] if several else []), f"{peak.q_per_A:.3f}", f"{peak.fwhm_per_A:.4f}",
             format_number(diameter, ".0f"), f"{100 * peak.misfit:.1f}"]
            for name, one in found.items() for peak, diameter in one.size_peaks or ()
        ]  # fmt: skip
        print_table([*head, "peak at Q per Å", "width per Å", "Scherrer Å", "misfit %"], rows)
        for name, one in found.items():
            if (hall := one.hall) is not None:
                size = f"{hall.diameter_A:.0f} ± {hall.diameter_stderr_A:.0f} Å"
                strain = f"{100 * hall.strain:.2f} ± {100 * hall.strain_stderr:.2f} %"
                print(f"Williamson-Hall, {name}: {size}, strain {strain}, {len(hall.q_per_A)} peaks")
    print_warnings(_notes(found))


def _notes(found: dict[str, _Found]) -> list[str]:
    notes = list(dict.fromkeys(note for one in found.values() for note in one.diffraction.pattern.notes))
    if any(one.size_peaks for one in found.values()):
        notes.append(
            "Sizes are of peaks a tenth or more wider than the instrument's that one profile fits to 5 %; reflections "
            "that overlap look like smaller grains, so choose single ones with --near."
        )
    few = [name for name, one in found.items() if one.size_peaks is not None and one.hall is None]
    if few:
        notes.append(f"Fewer than three such peaks, so no Williamson-Hall line: {', '.join(few)}.")
    return notes


def _write(found: dict[str, _Found], out: Path, length: float | None, axis: str) -> None:
    """Write the curves of each structure, and figures of all of them together."""
    import json

    import pandas as pd

    from tammann.files import json_safe, write_text
    from tammann.plot import diffraction as draw
    from tammann.plot import save_figure

    out.mkdir(parents=True, exist_ok=True)
    summary = {}
    for name, one in found.items():
        plain, pattern = name.replace("/", "-"), one.diffraction.pattern
        columns: dict[str, Any] = {"q_per_A": pattern.q_per_A}
        if length is not None:
            columns |= {"two_theta_deg": one.diffraction.two_theta_deg, "counts": one.diffraction.counts}
        columns |= {"intensity_per_atom": pattern.intensity}
        columns |= {f"intensity {a}-{b}": values for (a, b), values in pattern.partial_intensities.items()}
        function = one.diffraction.pair_function
        for kind, table in (("pattern", pd.DataFrame(columns)),
                            ("G", pd.DataFrame({"r_A": function.r_A, "G_per_A2": function.G_per_A2}))):  # fmt: skip
            write_text(out / f"{plain}-{kind}.csv", table.to_csv(index=False, float_format="%.7g"))
        curves = ("q_per_A", "intensity_per_atom", "two_theta_deg", "counts", "r_A", "G_per_A2")
        summary[name] = {key: value for key, value in one.as_dict().items() if key not in curves}
        save_figure(draw.plot_partials(pattern), out / f"{plain}-partials.png", dpi=150)
        if one.agreement is not None:
            labels = {"r": "$r$ (Å)", "two-theta": r"$2\theta$ (degrees)", "Q": r"$Q$ (Å$^{-1}$)"}
            figure = draw.plot_agreement(one.agreement, x_label=labels[axis])
            save_figure(figure, out / f"{plain}-measured.png", dpi=150)
    write_text(out / "summary.json", json.dumps(json_safe(summary), indent=2, ensure_ascii=False) + "\n")
    patterns = {name: one.diffraction.pattern for name, one in found.items()}
    save_figure(draw.plot_patterns(patterns, wavelength=length), out / "patterns.png", dpi=150)
    functions = {name: one.diffraction.pair_function for name, one in found.items()}
    save_figure(draw.plot_pair_functions(functions), out / "G.png", dpi=150)
    halls = {name: one.hall for name, one in found.items() if one.hall is not None}
    if halls:
        save_figure(draw.plot_williamson_hall(halls), out / "williamson-hall.png", dpi=150)
