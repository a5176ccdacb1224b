"""Collect what the example gave into results.json and its figures: small enough to keep, with what made it.

    python collect.py out results.json FOLDER_OF_FIGURES

Everything is computed anew from the structures in ``out``, which takes two minutes. Figures go into the folder.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from tammann._version import __version__
from tammann.characterization import LocalStructure, local_structure
from tammann.characterization.diffraction import Diffraction, Resolution, diffract, fit_peaks, scherrer_diameter
from tammann.characterization.local_structure import angle_maxima
from tammann.errors import DataError
from tammann.files import digest, json_safe, write_text
from tammann.plot import save_figure
from tammann.plot.diffraction import plot_pair_functions, plot_patterns
from tammann.plot.grain_boundaries import plot_boundary_energies, plot_grains
from tammann.plot.local_structure import plot_bond_angles, plot_coordination, plot_partials
from tammann.plot.quenches import quench_figure
from tammann.potentials import load_potential
from tammann.potentials.ace.model import AceModel
from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.evaluate import evaluate_potential
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.structures.grain_boundary import EV_PER_A2_IN_J_PER_M2
from tammann.workflows.active_learning import load_active_learning
from tammann.workflows.grain_boundaries import load_grain_boundaries
from tammann.workflows.quenching import load_quenching

HERE = Path(__file__).resolve().parent
CUTOFFS_A = {("Zr", "S"): 3.1, ("Ba", "S"): 3.8}  # of the reference work
Q_PER_A = 1.61, 5.25  # of its diffraction
INSTRUMENT = Resolution(fwhm_per_A=0.02)
B_ISO_A2 = 0.8
GLASS_FWHM_PER_A = 0.2  # bridges the reciprocal vectors of its small box
GRAINS = 1, 8, 50
PEAK_PER_A, WINDOW_PER_A = 2.495, 0.15  # (220) and (004), which fall together and stand alone
RANGES_A = (10, 15), (30, 50), (50, 70)
FAR_A = 6.0  # from a boundary, where an atom is one of the crystal
SHOWN = "tilt 9.5 about 0 0 1"
FITS = {
    "boundaries": "potential/low-energy.ace.npz",
    "melts": "potential-glass/potential.ace.npz",
    "glasses": "potential-glass/low-energy.ace.npz",
}


def fewer_colours(picture: Path) -> None:
    """Write a picture of many dots with 128 colours, a third of the bytes."""
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(128)
    few.save(picture, optimize=True)


def errors_of(potential: str, data: DataSet) -> list[dict]:
    """Errors on frames of each kind."""
    return evaluate_potential(load_potential(potential), data).table().to_dict("records")


def summary_of(found: LocalStructure) -> dict:
    """What is said of a structure: density, first shells with cut-offs, EXAFS, angles, joints."""
    shells = {
        f"{s.centre}-{s.neighbour}": {
            "cutoff_A": s.cutoff_A,
            "coordination": s.mean,
            "fractions": s.fractions,
            "mean_bond_A": s.mean_bond_length_A,
            "bond_by_coordination_A": s.bond_lengths_A,
        }
        for s in found.shells
    }
    zr = next(a for a in found.absorption if a.centre == "Zr")
    angle = next(a for a in found.angles if a.triplet == ("S", "Zr", "S"))
    return {
        "atoms": found.n_atoms,
        "density_g_per_cm3": found.density_g_per_cm3,
        "shells": shells,
        "exafs": {
            "coordination": zr.fitted_coordination,
            "distance_A": zr.fitted_distance_A,
            "variance_A2": zr.fitted_variance_A2,
            "misfit": zr.misfit,
        },
        "angle_maxima_deg": angle_maxima(angle),
        "joints": found.joints[0].per_polyhedron,
    }


def broadening(found: Diffraction, *, glass: bool = False) -> dict:
    """Width of one strong peak, the size by Scherrer's formula, and how far G(r) reaches."""
    pattern, function = found.pattern, found.pair_function
    r, g = function.r_A, function.G_per_A2
    row = {
        "highest": float(pattern.intensity.max()),
        "fwhm_per_A": None,
        "scherrer_A": None,
        "g_rms_per_A2": {
            f"{low:g}-{high:g} Å": float(g[(r > low) & (r < high)].std()) if r[-1] > high - 1 else None
            for low, high in RANGES_A
        },
    }
    if not glass:
        (peak,) = fit_peaks(pattern.q_per_A, pattern.intensity, near_per_A=[PEAK_PER_A], half_window_per_A=WINDOW_PER_A)
        row["fwhm_per_A"] = peak.fwhm_per_A
        try:
            row["scherrer_A"] = scherrer_diameter(peak, resolution=INSTRUMENT)
        except DataError:  # no wider than the instrument
            pass
    return row


def with_excess(configuration: Configuration) -> Configuration:
    """Label atoms with their energy over that of the same element away from the boundary, eV."""
    energy, far = configuration.labels["energy_eV"], configuration.labels["boundary_distance_A"] > FAR_A
    symbols, excess = np.array(configuration.symbols), np.zeros(configuration.n_atoms)
    for element in set(configuration.symbols):
        atoms = symbols == element
        excess[atoms] = energy[atoms] - energy[atoms & far].mean()
    return configuration.with_labels(excess_energy_eV=excess)


def boundary_rows(out: Path, name: str) -> list[dict]:
    """The table of a folder of boundaries."""
    return load_grain_boundaries(out / name).table().to_dict("records")


def energies_of_reference(boundaries: list[dict], labelled: DataSet) -> None:
    """Add what SevenNet-0 gives for the relaxed bicrystals, as they are, against the crystal they are made of, J/m2."""
    energies = {f.trajectory: (f.energy_eV, f.n_atoms) for f in labelled}
    crystal_eV, atoms = energies["crystal"]
    for row in boundaries:
        if row["boundary"] in energies:
            energy_eV, n = energies[row["boundary"]]
            excess_eV = energy_eV - crystal_eV * n / atoms
            row["sevennet_on_it_J_per_m2"] = excess_eV / (2.0 * row["area_A2"]) * EV_PER_A2_IN_J_PER_M2


def main(out_folder: str, target: str, figures: str) -> None:
    """Write the results and the figures."""
    out, pictures = Path(out_folder), Path(figures)
    fits = {name: str(out / file) for name, file in FITS.items()}
    labelled = read_dataset(out / "checks" / "labelled.extxyz")
    test = read_dataset(out / "active" / "round-0" / "test.xyz")
    crystals = {name: load_crystal(out / f"crystal-{name}.extxyz") for name in ("ace", "sevennet")}

    # the glass
    (quench,) = load_quenching(out / "glass").quenches.values()
    (annealed,) = load_quenching(out / "anneal").quenches.values()
    glass = annealed.configuration
    found = {"glass": local_structure(glass, cutoffs_A=CUTOFFS_A, r_max_A=12.0)}
    found["crystal"] = local_structure(crystals["ace"], cutoffs_A=CUTOFFS_A, r_max_A=12.0)
    rates = load_quenching(out / "rates")
    sizes = [
        {"rate_K_per_ps": rate, "seed": seed, **summary_of(local_structure(q.configuration, cutoffs_A=CUTOFFS_A))}
        for (rate, seed), q in rates.quenches.items()
    ]
    histories = {f"{rate:g} K/ps, {seed}": q.table() for (rate, seed), q in rates.quenches.items()}
    save_figure(quench_figure(histories), pictures / "bazrs3-quenches.png", dpi=150)
    save_figure(plot_partials({k: f.distribution for k, f in found.items()}), pictures / "bazrs3-rdf.png", dpi=150)
    shells = {k: f.shells[0] for k, f in found.items()}
    save_figure(plot_coordination(shells), pictures / "bazrs3-coordination.png", dpi=150)
    angles = {k: next(a for a in f.angles if a.triplet == ("S", "Zr", "S")) for k, f in found.items() if k == "glass"}
    save_figure(plot_bond_angles(angles), pictures / "bazrs3-angles.png", dpi=150)

    # the boundaries
    boundaries, reference = boundary_rows(out, "boundaries"), boundary_rows(out, "boundaries-sevennet")
    energies_of_reference(boundaries, labelled)
    series = {
        "fitted potential": [(b["angle_deg"], b["energy_J_per_m2"]) for b in boundaries],
        "SevenNet-0, relaxed by it": [(b["angle_deg"], b["energy_J_per_m2"]) for b in reference],
    }
    names = {b["angle_deg"]: f"Sigma {b['sigma']:.0f}" for b in boundaries if b["sigma"] and b["sigma"] > 0}
    save_figure(plot_boundary_energies(series, names=names), pictures / "bazrs3-boundaries.png", dpi=150)

    shown = with_excess(load_grain_boundaries(out / "boundaries").configuration(SHOWN))
    figure = Figure(figsize=(8.0, 5.4), layout="constrained")
    for ax, label in zip(figure.subplots(2, 1), ("excess_energy_eV", "extrapolation_grade"), strict=True):
        plot_grains(shown, label=label, slice_A=(0.0, float(shown.cell_A[0, 0])), along=0, ax=ax)
    save_figure(figure, pictures / "bazrs3-boundary.png", dpi=100)
    fewer_colours(pictures / "bazrs3-boundary.png")

    # the polycrystals, whose patterns begin with that of the crystal without end
    options = {"q_min_per_A": Q_PER_A[0], "q_max_per_A": Q_PER_A[1], "r_max_A": 80.0, "b_iso_A2": B_ISO_A2}
    patterns = {"crystal": diffract(crystals["ace"], resolution=INSTRUMENT, **options)}
    rows, polycrystals = [{"sample": "crystal", "atoms": None, **broadening(patterns["crystal"])}], {}
    for n in GRAINS:
        box = load_crystal(out / f"polycrystal-{n}.extxyz")
        name = f"{n} grain{'s' * (n > 1)}"
        patterns[name] = diffract(box, resolution=INSTRUMENT, **options)
        rows.append({"sample": name, "atoms": box.n_atoms, **broadening(patterns[name])})
        polycrystals[n] = box
    reach_A = 0.5 * float(min(np.diag(glass.cell_A)))  # beyond, its own images
    own = {**options, "b_iso_A2": None, "r_max_A": reach_A}
    patterns["glass"] = diffract(glass, resolution=Resolution(fwhm_per_A=GLASS_FWHM_PER_A), **own)
    rows.append({"sample": "glass", "atoms": glass.n_atoms, **broadening(patterns["glass"], glass=True)})
    stacked = plot_patterns({name: each.pattern for name, each in patterns.items()}, each=True)
    save_figure(stacked, pictures / "bazrs3-patterns.png", dpi=150)
    functions = plot_pair_functions({name: each.pair_function for name, each in patterns.items()})
    save_figure(functions, pictures / "bazrs3-pair-functions.png", dpi=150)
    save_figure(plot_grains(polycrystals[50]), pictures / "bazrs3-grains.png", dpi=90)
    fewer_colours(pictures / "bazrs3-grains.png")

    thick = {row["boundary"]: row["energy_J_per_m2"] for row in boundary_rows(out, "boundaries-thick")}
    results = {
        "about": {
            "tammann": __version__,
            "sevenn": version("sevenn"),
            "platform": platform.platform(),
            "potentials_sha256": {name: digest(file) for name, file in fits.items()},
            "plans_sha256": {p.name: digest(p) for p in sorted(HERE.glob("*.yaml"))},
            "cutoffs_A": {"-".join(pair): value for pair, value in CUTOFFS_A.items()},
            "q_per_A": Q_PER_A,
            "b_iso_A2": B_ISO_A2,
            "instrument_fwhm_per_A": INSTRUMENT.fwhm_per_A,
        },
        "active_learning": load_active_learning(out / "active").as_dict(),
        "active_learning_large": load_active_learning(out / "active-large").as_dict(),
        "frames": {name: len(read_dataset((out / file).parent / "train.extxyz")) for name, file in FITS.items()},
        "functions_per_element": len(AceModel.load(fits["melts"]).basis),
        "errors": {
            name: {"test": errors_of(file, test), "checks": errors_of(file, labelled)} for name, file in fits.items()
        },
        "cells_A": {name: np.diag(crystal.cell_A).tolist() for name, crystal in crystals.items()},
        "glass": {"rate_K_per_ps": quench.schedule.rate_K_per_ps, **annealed.means(), **summary_of(found["glass"])},
        "glass_before_annealing": summary_of(local_structure(quench.configuration, cutoffs_A=CUTOFFS_A)),
        "crystal": summary_of(found["crystal"]),
        "rates": sizes,
        "rates_means": rates.table().to_dict("records"),
        "boundaries": boundaries,
        "boundaries_sevennet": reference,
        "boundaries_of_thicker_grains_J_per_m2": thick,
        "diffraction": rows,
    }
    write_text(target, json.dumps(json_safe(results), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
