"""The program that labels one configuration, run by the interpreter that GPAW is installed in.

It needs nothing of this package, so that GPAW may live in another environment:

    python gpaw_program.py            prints the versions as JSON
    python gpaw_program.py IN OUT     reads a configuration and settings, writes energies, forces and stress, as JSON

Only ``tammann.potentials.gpaw`` starts it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any


def versions() -> dict[str, str]:
    """Return the versions of GPAW and ASE."""
    import ase
    import gpaw

    return {"gpaw": gpaw.__version__, "ase": ase.__version__}


def setups(calculator: Any) -> str:
    """Return the setups that a calculator has used, such as ``O f0a7c1d2``, by the digests of their files."""
    used = {setup.symbol: str(setup.fingerprint)[:8] for setup in calculator.setups.setups.values()}
    return ", ".join(f"{symbol} {used[symbol]}" for symbol in sorted(used))


def end_with_parent() -> None:
    """End this process when the one that started it has gone, so that no computation is left behind."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def label(task: dict[str, Any]) -> dict[str, Any]:
    """Return energies (eV), forces (eV/Å) and stress (eV/Å3) of a configuration by plane waves.

    The free energy is the one whose gradient the forces are, with smeared occupations.
    """
    from ase import Atoms
    from gpaw import GPAW, PW, FermiDirac

    settings = task["settings"]
    atoms = Atoms(task["symbols"], positions=task["positions_A"], cell=task["cell_A"], pbc=True)
    atoms.calc = GPAW(
        mode=PW(settings["cutoff_eV"], dedecut="estimate" if settings["pulay_stress"] else None),
        xc=settings["xc"],
        kpts={"size": settings["kpoints"], "gamma": True},
        occupations=FermiDirac(settings["smearing_eV"]),
        convergence={
            "energy": settings["energy_convergence_eV_per_electron"],
            "density": settings["density_convergence"],
        },
        maxiter=settings["iterations"],
        symmetry="off" if settings["kpoints"] == [1, 1, 1] else {},
        txt=settings["log"] or None,
    )
    free = atoms.get_potential_energy(force_consistent=True)
    return {
        "free_energy_eV": float(free),
        "energy_at_zero_smearing_eV": float(atoms.get_potential_energy()),
        "forces_eV_per_A": atoms.get_forces().tolist(),
        "stress_eV_per_A3": atoms.get_stress(voigt=False).tolist(),
        "versions": {**versions(), "setups": setups(atoms.calc)},
    }


def main(arguments: list[str]) -> None:
    """Do what the arguments ask for; a failure of GPAW is an answer like others."""
    if not arguments:
        print(json.dumps(versions()))
        return
    end_with_parent()
    source, target = arguments
    with open(source, encoding="utf-8") as file:
        task = json.load(file)
    try:
        answer = label(task)
    except Exception as reason:  # whatever GPAW raises, such as a density that does not converge
        answer = {"failure": type(reason).__name__ + ": " + " ".join(str(reason).split())[:300]}
    with open(target + ".partial", "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace(target + ".partial", target)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))  # holds a gpaw.py that is not GPAW
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    main(sys.argv[1:])
