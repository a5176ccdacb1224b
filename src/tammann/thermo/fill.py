"""A user's phases with what the library of measured energies knows of their elements."""

from collections.abc import Sequence
from dataclasses import replace

from tammann.errors import DataError
from tammann.thermo.gibbs import THERMAL_PART
from tammann.thermo.measured import measured_phases
from tammann.thermo.merged import merged, phase_key
from tammann.thermo.phase import Phase, Phases
from tammann.thermo.reference_correction import corrected, thermal_correction


def filled(phases: Phases) -> Phases:
    r"""Return phases with the competitors that the library of measured energies adds, each named in a warning.

    Energies that the user states as measured (enthalpies at 298 K, Gibbs energies) count before the library's. Computed
    ones (at 0 K) give way to measured ones of the same compound, and the others are corrected on these, see
    ``reference_correction``: beside measured energies computed ones that are not would decide by their error. An
    enthalpy that comes without an entropy gets the thermal part of its neighbours, see ``thermal_correction``.

    Args:
        phases: From a file or a database; its default energies count.

    Returns:
        The joint system, its energy set under the same name.

    Example:
        >>> import pathlib, tempfile
        >>> from tammann.thermo.csv_table import read_csv
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = file.write_text("formula,formation_enthalpy_298K_kJ_per_mol\nMg3Al2O6,-3480.0")
        >>> joint = filled(read_csv(file))
        >>> joint.default_energies, "MgAl2O4" in joint
        ('mine', True)
    """
    library = measured_phases(phases.elements)
    phases = _with_thermal_parts(phases, library)
    energies = phases.energy_set()
    joint = (
        corrected(phases, library, name=energies.name)
        if energies.is_computed.any()
        else merged(phases, library, name=energies.name)
    )
    own = {phase_key(phase) for phase in phases}
    added = [phase for phase in joint if phase_key(phase) not in own]
    said = [_listed("added from the library of measured energies", added)] if added else []
    known = {phase_key(phase) for phase in library if len(phase.composition) > 1 and phase.state == "solid"}
    replaced = [p for i, p in enumerate(phases) if energies.is_computed[i] and phase_key(p) in known]
    said += [_listed("measured energies in place of the computed ones", replaced)] if replaced else []
    described = f"{energies.description} Measured energies of what else is known of {phases.system}."
    return replace(
        joint.with_energies(replace(joint.energy_set(), description=described), default=True),
        warnings=(*joint.warnings, *said),
    )


def with_computed(measured: Phases, computed: Phases) -> Phases:
    """Return measured phases with the computed ones of their elements that nobody measured, corrected.

    Args:
        measured: From the library; its energy set keeps its name.
        computed: From a file or a database; phases with other elements are left out.

    Raises:
        DataError: No computed phase is made of these elements.
    """
    inside = [i for i, phase in enumerate(computed) if set(phase.composition) <= set(measured.elements)]
    if not any(len(computed[i].composition) > 1 for i in inside):
        raise DataError(
            f"computed energies {computed.default_energies!r} have no compound of {', '.join(measured.elements)}: they "
            f"are of {', '.join(computed.elements)}; name the elements of both"
        )
    import numpy as np

    return corrected(computed.take(np.array(inside)), measured, name=measured.default_energies)


def _with_thermal_parts(phases: Phases, library: Phases) -> Phases:
    """Return phases whose measured enthalpies have thermal parts that agree with those of the library."""
    energies = phases.energy_set()
    table, sources = energies.gibbs_eV_per_atom.copy(), list(energies.source)
    for i, phase in enumerate(phases):
        if sources[i].endswith(THERMAL_PART) and not energies.is_computed[i] and len(phase.composition) > 1:
            correction = thermal_correction(phase.composition, library)
            table[:, i] += correction
            sources[i] += " and that of its measured neighbours"
    return phases.with_energies(replace(energies, gibbs_eV_per_atom=table, source=tuple(sources)), default=True)


def _listed(what: str, phases: Sequence[Phase]) -> str:
    return f"{what}: {', '.join(phase.formula for phase in phases)}"
