"""What every way of computing a powder pattern returns: partials, and all that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.form_factors import Radiation, debye_waller, scattering_amplitudes
from tammann.errors import DataError

LEAST_MEAN_AMPLITUDE = 1e-3
"""<f>²/<f²> below which a structure factor, which is divided by <f>², means nothing."""


@dataclass(frozen=True, eq=False)
class PowderPattern:
    """Scattering of a powder, per atom.

    With the partial A_ab(Q) = < sum_{i in a} sum_{j in b} exp(i Q . (r_i - r_j)) > / N over all orientations,
    amplitudes f_a and factors T_a of thermal motion,

    I(Q)/N = sum_ab f_a f_b T_a T_b (A_ab - c_a delta_ab) + sum_a c_a f_a²,

    S(Q) = 1 + (I/N - <f²>)/<f>², F(Q) = Q [S(Q) - 1]. Atoms move independently of each other, so what thermal motion
    takes from the peaks is spread over all Q.

    Attributes:
        species: Elements, S of them.
        concentrations: Shape (S,), c_a.
        q_per_A: Shape (K,), Q = 4 pi sin(theta)/lambda, 1/Å, rising.
        partials: Pair of elements, in the order of ``species``, to A_ab(Q), shape (K,); without amplitudes and thermal
            motion.
        amplitudes: Element to f_a(Q), shape (K,), electrons or fm.
        thermal: Element to T_a(Q), shape (K,).
        radiation: ``xray`` or ``neutron``.
        density_per_A3: Atoms per Å³; None for a cluster.
        resolution: Of the instrument; None where the pattern is not broadened.
        notes: What the reader should know.
    """

    species: tuple[str, ...]
    concentrations: np.ndarray
    q_per_A: np.ndarray
    partials: Mapping[tuple[str, str], np.ndarray]
    amplitudes: Mapping[str, np.ndarray]
    thermal: Mapping[str, np.ndarray]
    radiation: Radiation
    density_per_A3: float | None = None
    resolution: Resolution | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        q = self.q_per_A
        pairs = f"{'-'.join(self.species)}, {self.radiation}"
        return f"PowderPattern({pairs}, Q {q[0]:.3g} to {q[-1]:.3g} per Å, {len(q)} points)"

    @property
    def mean_amplitude(self) -> np.ndarray:
        """<f> = sum_a c_a f_a, shape (K,)."""
        return np.asarray(sum(c * self.amplitudes[s] for s, c in zip(self.species, self.concentrations, strict=True)))

    @property
    def mean_square_amplitude(self) -> np.ndarray:
        """<f²> = sum_a c_a f_a², shape (K,); what independent atoms would scatter."""
        shares = zip(self.species, self.concentrations, strict=True)
        return np.asarray(sum(c * self.amplitudes[s] ** 2 for s, c in shares))

    @property
    def partial_intensities(self) -> dict[tuple[str, str], np.ndarray]:
        """What each pair of elements contributes to the intensity per atom, both orders together, shape (K,)."""
        found = {}
        for (a, b), partial in self.partials.items():
            own = self.concentrations[self.species.index(a)] if a == b else 0.0
            f, t = self.amplitudes[a] * self.amplitudes[b], self.thermal[a] * self.thermal[b]
            found[a, b] = (1.0 if a == b else 2.0) * f * (t * (partial - own) + own)
        return found

    @property
    def intensity(self) -> np.ndarray:
        """I(Q)/N, shape (K,), electrons² or fm² per atom: coherent, no absorption, polarization or background."""
        return np.asarray(sum(self.partial_intensities.values()))

    @property
    def structure_factor(self) -> np.ndarray:
        """S(Q) of Faber and Ziman, shape (K,), which tends to 1.

        Raises:
            DataError: Amplitudes that cancel in the mean, as in a null alloy for neutrons.
        """
        square = self.mean_amplitude**2
        if (square < LEAST_MEAN_AMPLITUDE * self.mean_square_amplitude).any():
            raise DataError(f"the mean {self.radiation} amplitude of {'-'.join(self.species)} is 0, so S(Q) is not "
                            "defined; use intensity.")  # fmt: skip
        return np.asarray(1.0 + (self.intensity - self.mean_square_amplitude) / square)

    @property
    def reduced_structure_factor(self) -> np.ndarray:
        """F(Q) = Q [S(Q) - 1], shape (K,), 1/Å."""
        return np.asarray(self.q_per_A * (self.structure_factor - 1.0))


def pattern_from_partials(
    species: tuple[str, ...],
    counts: np.ndarray,
    q_per_A: np.ndarray,
    partials: np.ndarray,
    *,
    radiation: Radiation,
    b_iso_A2: Mapping[str, float] | float | None,
    u_iso_A2: Mapping[str, float] | float | None,
    density_per_A3: float | None = None,
    resolution: Resolution | None = None,
    notes: tuple[str, ...] = (),
) -> PowderPattern:
    """Return the pattern of partials in the order of ``pairs_of`` the species, shape (pairs, K)."""
    return PowderPattern(
        species,
        counts / counts.sum(),
        q_per_A,
        dict(zip(pairs_of(species), partials, strict=True)),
        scattering_amplitudes(species, q_per_A, radiation=radiation),
        debye_waller(species, q_per_A, b_iso_A2=b_iso_A2, u_iso_A2=u_iso_A2),
        radiation,
        density_per_A3,
        resolution,
        notes,
    )


def pairs_of(species: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return all pairs of elements, each once.

    Example:
        >>> pairs_of(("Na", "Cl"))
        [('Na', 'Na'), ('Na', 'Cl'), ('Cl', 'Cl')]
    """
    return list(combinations_with_replacement(species, 2))


def check_q(q_per_A: np.ndarray) -> np.ndarray:
    """Return Q as an array, or refuse it where it does not rise from above 0.

    Raises:
        DataError: Fewer than two values, or values that are not rising, finite and above 0.

    Example:
        >>> check_q([1.0, 0.5])
        Traceback (most recent call last):
        tammann.errors.DataError: q_per_A has 2 values from 1 to 0.5 per Å, expected two or more that rise from above 0.
    """
    q = np.asarray(q_per_A, dtype=float)
    if q.ndim != 1 or len(q) < 2 or not np.isfinite(q).all() or q[0] <= 0.0 or (np.diff(q) <= 0.0).any():
        ends = f" from {q.flat[0]:g} to {q.flat[-1]:g} per Å" if q.size else ""
        raise DataError(f"q_per_A has {q.size} values{ends}, expected two or more that rise from above 0.")
    return q
