"""Displacement analysis side by side: wall time and peak memory on the same trajectory, and the largest case alone.

Each code runs in a process of its own, on one core, on positions that lie in memory as float64; starting Python and
importing packages are left out of the time. What each computes differs, and the table says it:

- tammann: for both species and their pair, self and collective displacement correlations as tensors at every lag, all
  Onsager coefficients with standard errors, self-diffusion coefficients with standard errors;
- MDAnalysis, EinsteinMSD (fft=True): the mean squared displacement of each species at every lag; no fit, no errors,
  nothing between ions;
- kinisi, DiffusionAnalyzer: the mean squared displacement of each species at 100 lags (at every lag its work grows with
  the square of the frames, and so does its covariance matrix), and the posterior of each self-diffusion coefficient;
  nothing between ions.

    python benchmarks/diffusion.py            # everything, minutes
    python benchmarks/diffusion.py --small    # 2,000 frames of 16 ions, to see that it works
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from record import record  # noqa: E402

INTERVAL_PS = 0.1
REGIME_FROM_PS = 2.0
KINISI_LAGS = 100
CODES = {
    "tammann": "all lags; L_ij, D, errors",
    "mdanalysis": "all lags; MSD",
    "kinisi": f"{KINISI_LAGS} lags; D, errors",
}
REPEATS = 3


def walk(frames: int, ions: int) -> np.ndarray:
    """Unwrapped positions of a Brownian salt, Å, shape (frames, ions, 3); the first half of the ions are cations."""
    rng = np.random.default_rng(5)
    positions = np.cumsum(rng.normal(scale=0.35, size=(frames, ions, 3)), axis=0)
    return positions + rng.uniform(0.0, 20.0, size=(ions, 3))


def held() -> int:
    """Bytes that this process holds now; its peak so far where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak()


def peak() -> int:
    """Peak of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def with_tammann(positions: np.ndarray, symbols: list[str], threads: int) -> dict[str, float]:
    import scipy.fft  # noqa: F401

    from tammann.trajectory import trajectory_from_arrays
    from tammann.transport import displacement_correlations, measure_onsager

    before, began = held(), time.perf_counter()
    trajectory = trajectory_from_arrays(
        positions,
        20.0 * np.eye(3),
        symbols,
        frame_interval_ps=INTERVAL_PS,
        wrapped=False,
        temperature_K=1200.0,
    )
    correlations = displacement_correlations(trajectory, frame="laboratory", threads=threads)
    last = correlations.duration_ps / 10
    measure_onsager(correlations, regime_ps=(REGIME_FROM_PS, last))
    return {"seconds": time.perf_counter() - began, "held": before}


def with_mdanalysis(positions: np.ndarray, symbols: list[str], threads: int) -> dict[str, float]:
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD

    before, began = held(), time.perf_counter()
    universe = MDAnalysis.Universe.empty(len(symbols), trajectory=False)
    universe.add_TopologyAttr("name", symbols)
    universe.load_new(positions, order="fac", dt=INTERVAL_PS)
    curves = [EinsteinMSD(universe, select=f"name {symbol}", fft=True).run() for symbol in dict.fromkeys(symbols)]
    seconds = time.perf_counter() - began
    assert all(len(curve.results.timeseries) == len(positions) for curve in curves)
    return {"seconds": seconds, "held": before}


def with_kinisi(positions: np.ndarray, symbols: list[str], threads: int) -> dict[str, float]:
    import scipp as sc
    from kinisi.analyze import DiffusionAnalyzer
    from kinisi.displacement import calculate_msd
    from kinisi.parser import Parser

    before, began = held(), time.perf_counter()
    frames, ions, _ = positions.shape
    edge = 1000.0  # positions are unwrapped: no image is ever the nearer one
    coordinates = sc.array(dims=["time", "particle", "dimension"], values=positions / edge)
    lattice = sc.array(
        dims=["time", "dimension1", "dimension2"],
        values=np.broadcast_to(edge * np.eye(3), (frames, 3, 3)).copy(),
        unit=sc.units.angstrom,
    )
    step = INTERVAL_PS * sc.Unit("ps")
    # up to the longest there is, by which it counts independent stretches
    lags = np.unique(np.geomspace(REGIME_FROM_PS / INTERVAL_PS, frames - 1, KINISI_LAGS).round().astype(int))

    def parsed(members: np.ndarray) -> Parser:
        return Parser(
            coordinates,
            lattice,
            time_step=step,
            step_skip=sc.scalar(1),
            dt=sc.array(dims=["time interval"], values=lags * INTERVAL_PS, unit="ps"),
            specie_indices=sc.array(dims=["particle"], values=members),
            drift_indices=sc.array(dims=["particle"], values=np.array([], dtype=int)),
        )

    names = np.array(symbols)
    for symbol in dict.fromkeys(symbols):
        analyzer = DiffusionAnalyzer(parsed(np.flatnonzero(names == symbol)))
        analyzer._dg = calculate_msd(analyzer.trajectory, progress=False)
        analyzer.diffusion(lags[0] * step, progress=False, random_state=np.random.RandomState(1))
    return {"seconds": time.perf_counter() - began, "held": before}


def worker(code: str, path: str, threads: int) -> None:
    positions = np.load(path)
    ions = positions.shape[1]
    symbols = ["Na"] * (ions // 2) + ["Cl"] * (ions - ions // 2)
    analysis = {"tammann": with_tammann, "mdanalysis": with_mdanalysis, "kinisi": with_kinisi}[code]
    found = analysis(positions, symbols, threads)
    print(json.dumps({**found, "peak": peak()}))


def measured(code: str, path: Path, threads: int = 1, repeats: int = REPEATS) -> dict[str, float] | None:
    """The fastest of a few processes; None where the package is not installed."""
    words = [sys.executable, "-W", "ignore", __file__, "--worker", code, str(path), "--threads", str(threads)]
    runs = []
    for _ in range(repeats):
        done = subprocess.run(words, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            if "ModuleNotFoundError" in done.stderr and code != "tammann":
                return None
            raise RuntimeError(done.stderr)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        if runs[-1]["seconds"] > 60:
            break
    return min(runs, key=lambda run: run["seconds"])


def row(code: str, frames: int, ions: int, found: dict[str, float]) -> dict[str, object]:
    data = frames * ions * 24
    return {
        "code": code,
        "computes": CODES[code],
        "frames": frames,
        "ions": ions,
        "seconds": round(found["seconds"], 3),
        "peak of the process, MB": round(found["peak"] / 1e6),
        "data, MB": round(data / 1e6),
        "peak above packages and data, over data": round((found["peak"] - found["held"]) / data, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", nargs=2, metavar=("CODE", "FILE"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    if given.worker:
        worker(*given.worker, given.threads)
        return
    sizes = [(2_000, 16)] if given.small else [(10_000, 64), (100_000, 64)]
    largest = (4_000, 32) if given.small else (50_000, 300)
    compared, alone = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walk.npy"
        for frames, ions in sizes:
            np.save(path, walk(frames, ions))
            for code in CODES:
                found = measured(code, path)
                if found is None:
                    print(f"{code} is left out: not installed", file=sys.stderr)
                    continue
                compared.append(row(code, frames, ions, found))
        np.save(path, walk(*largest))
        for threads in (1, 2):
            found = measured("tammann", path, threads)
            assert found is not None
            alone.append({"threads": threads, **row("tammann", *largest, found)})
    if given.small:
        from record import table

        print(table(compared), table(alone), sep="\n\n")
        return
    record("diffusion", compared)
    record("diffusion_largest", alone)


if __name__ == "__main__":
    main()
