"""Powder patterns: seconds for clusters (Debye sum) and periodic boxes (non-uniform Fourier transform), beside peers.

A crystal of Pnma BaZrS3 is cut into balls for the Debye sum, and repeated, with atoms displaced by 0.1 Å, for periodic
boxes. DebyeCalculator computes the same balls with the same form factors where it is installed, finufft the same
amplitudes of boxes. Every case runs in a process of its own, after one on ten atoms that compiles; the exact sum stands
for the truth: the largest difference of I(Q)/N from it in parts of <f²>, for 2000 atoms.

    python benchmarks/diffraction.py                      all cases
    python benchmarks/diffraction.py PYTHON               with DebyeCalculator in another environment, PYTHON its python
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import record

Q_STEP, DEBYE_Q, BOX_Q = 0.01, (1.0, 25.0), (1.61, 5.25)
CLUSTERS, PEER_CLUSTERS, BOXES = (2000, 10_000, 50_000), (2000, 10_000), (10_000, 310_000)
THREADS = 2
EXACT = 2000


def crystal(n_atoms: int, displaced_A: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Symbols, positions and edges of a block of BaZrS3 of about so many atoms."""
    edges = np.array([6.96228, 7.08885, 9.96352])
    sites = {
        "Zr": [(0, 0, 0)],
        "Ba": [(0.48884, 0.95159, 0.25)],
        "S": [(0.43869, 0.496, 0.75), (0.70948, 0.78991, 0.53238)],
    }
    unit = {}
    for symbol, places in sites.items():
        for x, y, z in places:
            for sign in (1, -1):
                for place in ((x, y, z), (-x, -y, z + 0.5), (0.5 + x, 0.5 - y, -z), (0.5 - x, 0.5 + y, 0.5 - z)):
                    unit[tuple((sign * np.array(place) % 1.0).round(5) % 1.0)] = symbol
    side = (n_atoms / 20 * edges.prod()) ** (1 / 3)
    copies = np.maximum(1, np.round(side / edges)).astype(int)
    shifts = np.indices(copies).reshape(3, -1).T
    positions = ((shifts[:, None] + np.array(list(unit))) * edges).reshape(-1, 3)
    positions += np.random.default_rng(1).normal(0.0, displaced_A, positions.shape) if displaced_A else 0.0
    return np.tile(list(unit.values()), len(shifts)), positions, copies * edges


def ball(n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    symbols, positions, _ = crystal(int(2.4 * n_atoms), 0.0)
    nearest = np.argsort(np.linalg.norm(positions - positions.mean(axis=0), axis=1), kind="stable")[:n_atoms]
    return symbols[nearest], positions[nearest]


def ours(kind: str, n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    from tammann.characterization.diffraction import Resolution, debye_pattern, periodic_pattern
    from tammann.structures.configuration import Configuration

    if kind == "cluster":
        symbols, positions = ball(n_atoms)
        q = np.arange(*DEBYE_Q, Q_STEP)
        found = debye_pattern(Configuration(tuple(symbols), positions, 1e3 * np.eye(3)), q, threads=THREADS)
    else:
        symbols, positions, edges = crystal(n_atoms, 0.1)
        q = np.arange(*BOX_Q, 0.004)
        box = Configuration(tuple(symbols), positions, np.diag(edges))
        found = periodic_pattern(box, q, resolution=Resolution(0.02), threads=THREADS)
    return q, found.intensity / found.mean_square_amplitude


def peer(n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """DebyeCalculator; its form factors are the same table."""
    import torch
    from debyecalculator import DebyeCalculator

    torch.set_num_threads(THREADS)
    symbols, positions = ball(n_atoms)
    calculator = DebyeCalculator(qmin=DEBYE_Q[0], qmax=DEBYE_Q[1], qstep=Q_STEP, biso=0.0, device="cpu")
    q, found = calculator.iq((list(symbols), torch.tensor(positions, dtype=torch.float32)))
    return np.asarray(q), np.asarray(found)


def waves_by_finufft(n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Only the amplitudes of the three elements, with finufft."""
    import finufft

    symbols, positions, edges = crystal(n_atoms, 0.1)
    most = np.floor((BOX_Q[1] + 0.06) * edges / (2 * np.pi)).astype(int)
    for symbol in ("Ba", "Zr", "S"):
        x = (2 * np.pi * (positions[symbols == symbol] / edges % 1.0 - 0.5)).astype(np.float32)
        finufft.nufft3d1(*np.ascontiguousarray(x.T), np.ones(len(x), np.complex64), tuple(2 * most + 1), eps=1e-5,
                         isign=-1, nthreads=THREADS)  # fmt: skip
    return np.zeros(1), np.zeros(1)


def exact(n_atoms: int, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Debye sum in parts of <f²>, and N <f²>."""
    from tammann.characterization.diffraction import scattering_amplitudes

    symbols, positions = ball(n_atoms)
    table = scattering_amplitudes(sorted(set(symbols)), q)
    f = np.array([table[s] for s in symbols])
    r = np.linalg.norm(positions[:, None] - positions, axis=-1)
    total = np.array([f[:, k] @ np.sinc(q[k] / np.pi * r) @ f[:, k] for k in range(len(q))])
    return total / (f**2).sum(axis=0), (f**2).sum(axis=0)


METHODS = {
    "tammann, cluster": lambda n: ours("cluster", n),
    "tammann, box": lambda n: ours("box", n),
    "DebyeCalculator, cluster": peer,
    "finufft, box (amplitudes only)": waves_by_finufft,
}


def measured(method: str, n_atoms: int, out: str) -> dict[str, float]:
    METHODS[method](60)
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    q, curve = METHODS[method](n_atoms)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    np.savez(out, q=q, curve=curve)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "memory": after.ru_maxrss / 1e6}


def main(peer_python: str) -> None:
    cases = [("tammann, cluster", n) for n in CLUSTERS] + [("DebyeCalculator, cluster", n) for n in PEER_CLUSTERS]
    cases += [("tammann, box", n) for n in BOXES] + [("finufft, box (amplitudes only)", n) for n in BOXES]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "curve.npz")
        for method, n_atoms in cases:
            python = peer_python if method.startswith("Debye") else sys.executable
            words = [python, __file__, method, str(n_atoms), out]
            done = subprocess.run(words, capture_output=True, text=True, timeout=1800, check=False)
            if done.returncode:
                print(f"{method}, {n_atoms} atoms: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            run = json.loads(done.stdout.splitlines()[-1])
            row = {
                "method": method,
                "atoms": n_atoms,
                "seconds": round(run["wall"], 2),
                "seconds of processor": round(run["cpu"], 2),
                "memory, GB": round(run["memory"], 2),
                "error, parts of <f²>": "",
            }
            if n_atoms == EXACT:
                curve = np.load(out)
                chosen = slice(0, None, 40)
                truth, squares = exact(n_atoms, curve["q"][chosen])
                found = curve["curve"][chosen]
                if method.startswith("Debye"):  # in a unit of its own
                    found = found / squares
                    found = found * float(truth @ found / (found @ found))
                row["error, parts of <f²>"] = f"{np.abs(found - truth).max():.1e}"
            rows.append(row)
    record("diffraction", rows)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        print(json.dumps(measured(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else sys.executable)
