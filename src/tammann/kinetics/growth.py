"""From transport to growth: the parabolic growth constant K_D of a product layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.composition import composition_key
from tammann.errors import DataError, check_argument
from tammann.transport import (
    OnsagerCoefficients,
    TransportTable,
    arrhenius_weights,
    draw_transport,
    interpolate_arrhenius,
    species_masses,
)
from tammann.units import A3_IN_M3, EV_IN_J

if TYPE_CHECKING:
    import pandas

    from tammann.thermo import Phases

Form = Literal["paper", "signed", "electroneutral"]


def growth_constant(
    coefficients: OnsagerCoefficients,
    difference_eV: Mapping[str, float],
    *,
    volume_A3_per_atom: float,
    mode: Literal["full", "self"] = "full",
    form: Literal["paper", "signed"] = "paper",
) -> float:
    """Return the growth constant of a layer from the fluxes that a difference of chemical potentials drives through it.

    K_D = sum_i |sum_j L_ij dmu_j| v / x_i (``"paper"``), or |sum_i sum_j L_ij dmu_j v / x_i| (``"signed"``), with L
    ``coefficients.dissipative``, or the diagonal of ``coefficients.L_self``, v the volume per atom and x_i the atom
    fractions of ``coefficients.formula``, so that K_D does not depend on how the formula is written. A planar layer
    then grows as h² = 2 K_D t. The paper writes the signed sum (its eq. 7); its authors' code, and its Fig. 2b, take
    absolute values, which is the default here. The sign of the signed sum only says which reactant was named first.

    Args:
        coefficients: Transport in the layer.
        difference_eV: Element to mu(one side) - mu(other side), eV per atom; elements that are no ion of the layer
            carry no flux through it.
        volume_A3_per_atom: v, cubic Angstrom.
        mode: ``"full"`` for all of L, ``"self"`` for the self part.
        form: ``"paper"`` or ``"signed"``.

    Returns:
        K_D in m²/s.

    Raises:
        DataError: The formula has other elements than the species.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, eqs. 6 to 8.

    Example:
        >>> from tammann.transport import load_transport
        >>> ions = load_transport("karan-2026").at("BaTiO3", 1500.0)
        >>> f"{growth_constant(ions, {'Ba': 1.0, 'Ti': -2.0, 'O': 0.5}, volume_A3_per_atom=13.59):.1e} m2/s"
        '2.3e-07 m2/s'
    """
    layer = _layer([coefficients], volume_A3_per_atom, mode, tuple(coefficients.species))
    difference = np.array([difference_eV.get(symbol, 0.0) for symbol in coefficients.species])
    return float(layer.from_difference(difference[None, None, :], np.zeros(1, dtype=int), form)[0, 0])


def electroneutral_growth_constant(
    coefficients: OnsagerCoefficients,
    first: Mapping[str, float],
    second: Mapping[str, float],
    dG_eV_per_atom: float,
    *,
    volume_A3_per_atom: float,
) -> float:
    """Return the growth constant of a layer that carries no charge and is in equilibrium with both its neighbours.

    K_D = v (-dG) / [a² b² w·R·w]. The layer (atom fractions x) takes the share a of its atoms from the first neighbour
    (x1) and b = 1 - a from the second (x2), so the only flux that makes it grow is along w = x1 - x2. Neutral
    neighbours make every such flux neutral, sum_i z_i w_i = 0 with the oxidation states z, and one flux is left. R
    inverts the full signed L in the centre-of-mass frame, where w is replaced by w - x (m·w)/(m·x), m the atomic
    masses. The difference of potentials is the one between the local equilibria first|layer and layer|second, for
    which w·dmu = -dG/(ab). K_D vanishes with dG, and does not depend on a choice of components, of frame or of formula
    units.

    Args:
        coefficients: Transport in the layer.
        first: Element to atoms of the first neighbour, any multiple; without what leaves as gas.
        second: The same for the second neighbour.
        dG_eV_per_atom: Gibbs energy of forming the layer from its neighbours, eV per atom of layer.
        volume_A3_per_atom: v of the layer, cubic Angstrom.

    Returns:
        K_D in m²/s; the sign is that of -dG.

    Raises:
        DataError: The layer is not a mixture of its neighbours.

    Example:
        >>> from tammann.transport import load_transport
        >>> ions = load_transport("karan-2026").at("BaTiO3", 1500.0)
        >>> args = {"first": {"Ba": 1, "O": 1}, "second": {"Ti": 1, "O": 2}, "volume_A3_per_atom": 13.59}
        >>> twice = electroneutral_growth_constant(ions, dG_eV_per_atom=-0.2, **args)
        >>> once = electroneutral_growth_constant(ions, dG_eV_per_atom=-0.1, **args)
        >>> round(twice / once, 9)
        2.0
    """
    layer = _layer([coefficients], volume_A3_per_atom, "full", tuple(coefficients.species))
    ends = np.array(
        [[side.get(symbol, 0.0) for symbol in coefficients.species] for side in (first, second)], dtype=float
    )
    extra = set(first) | set(second)
    fractions = ends / ends.sum(axis=1, keepdims=True)
    shares = _mixing_shares(fractions, layer.fractions)
    if shares is None or not extra <= set(coefficients.species):
        raise DataError(
            f"{coefficients.formula} is not a mixture of {dict(first)} and {dict(second)}; name its neighbours."
        )
    resistance = layer.resistance((fractions[0] - fractions[1])[None, :])[0, 0]
    a, b = shares
    if not resistance > 0:
        return 0.0
    return float(layer.volume_m3 * -dG_eV_per_atom * EV_IN_J / (a * a * b * b * resistance))


def growth_constants(
    phases: Phases,
    transport: TransportTable | None,
    temperatures_K: ArrayLike | None = None,
    *,
    energies: str | None = None,
    mode: Literal["full", "self"] = "full",
    form: Form = "paper",
    between: tuple[str, str] | None = None,
    relative_error: float = 0.0,
    draws: int = 100,
    rng: np.random.Generator | np.random.SeedSequence | int | None = 0,
) -> pandas.DataFrame:
    """Return K_D of every product between two phases, against temperature, with a band from the errors of its input.

    Products are the compositions of the table that are mixtures of the two.
    A composition has values within the temperatures at which the table has it, and none outside. ``"paper"`` and
    ``"signed"`` take the vector between the closest points of the stability domains of ``between``, the same for every
    product (see ``growth_constant``); ``"electroneutral"`` the Gibbs energy of each product from them.

    Args:
        phases: Energies and volumes; compositions of the table that are no phase take the volume per atom interpolated
            between the phases, and have no electroneutral value.
        transport: The table; None gives an empty result.
        temperatures_K: Temperatures; if None those of the table at which there are energies.
        energies: Name of an energy set, the default set if None.
        mode: ``"full"`` or ``"self"``.
        form: ``"paper"``, ``"signed"`` or ``"electroneutral"``.
        between: The two phases, the end members of the table if None.
        relative_error: Standard error of ln L where the table states none.
        draws: Draws of energies and transport within their errors for the band, 0 for no band.
        rng: Seed of the draws.

    Returns:
        Columns phase, temperature_K, K_D_m2_per_s, K_D_low and K_D_high (5th and 95th percentile of the draws, NaN
        without draws). The first is that of the central energies and lies low between the others: the hull is a
        concave function of the energies, so that with errors that average to zero it lies lower on average, and the
        domains of the two reactants lie further apart.

    Raises:
        DataError: The end members are not stated or not among the phases, or a temperature lies outside the table.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, Fig. 2b.

    Example:
        >>> from tammann.thermo import load_phases
        >>> from tammann.transport import load_transport
        >>> table = growth_constants(load_phases("Ba-Ti-O"), load_transport("karan-2026"), [1500.0], draws=0)
        >>> table.loc[table.K_D_m2_per_s.idxmax(), "phase"]
        'Ba4Ti13O30'
    """
    import pandas as pd

    from tammann.thermo import draw_energies

    check_argument("phases", phases, "Phases", "what load_phases returns")
    check_argument("transport", transport, "TransportTable|NoneType", "what load_transport returns, or None")
    empty = pd.DataFrame({"phase": pd.Series(dtype=object)}).assign(
        **{name: pd.Series(dtype=float) for name in ("temperature_K", "K_D_m2_per_s", "K_D_low", "K_D_high")}
    )
    if transport is None:
        return empty
    ends = between or transport.end_members
    if ends is None:
        raise DataError(f"between: {transport.name} names no end members; give the two reactants.")
    if phases.index(ends[0]) == phases.index(ends[1]):
        raise DataError(f"between: {ends[0]} is named twice; a layer grows between two different phases.")
    if temperatures_K is None:
        known = phases.energy_set(energies).temperature_K
        temperatures = transport.temperatures_K()
        temperatures = temperatures[(temperatures >= known[0]) & (temperatures <= known[-1])]
    else:
        temperatures = np.atleast_1d(np.asarray(temperatures_K, float))
    if not len(temperatures):
        return empty
    two = phases.atom_fractions[[phases.index(end) for end in ends]]
    formulas = [
        f
        for f in transport.formulas
        if set(dict(composition_key(f))) <= set(phases.elements)
        and _mixing_shares(two, _fractions(f, phases)) is not None
    ]

    def values(phases: Phases, transport: TransportTable) -> np.ndarray:
        return _between(phases, transport, formulas, temperatures, energies, mode, form, ends)

    value = values(phases, transport)
    low = high = np.full_like(value, np.nan)
    if draws > 0:
        generator = np.random.default_rng(rng)
        sample = [
            values(
                draw_energies(phases, energies=energies, rng=generator),
                draw_transport(transport, relative_error=relative_error, rng=generator),
            )
            for _ in range(draws)
        ]
        low, high = np.percentile(np.array(sample), [5.0, 95.0], axis=0)
    rows = [
        (formula, float(T), value[t, k], low[t, k], high[t, k])
        for k, formula in enumerate(formulas)
        for t, T in enumerate(temperatures)
        if np.isfinite(value[t, k])
    ]
    return pd.DataFrame(rows, columns=empty.columns)


def _between(
    phases: Phases,
    transport: TransportTable,
    formulas: Sequence[str],
    temperatures: np.ndarray,
    energies: str | None,
    mode: Literal["full", "self"],
    form: Form,
    ends: tuple[str, str],
) -> np.ndarray:
    """K_D of each formula at each temperature, shape (nT, n_formulas), NaN where it has none."""
    from tammann.thermo import closest_differences

    arrhenius_weights(transport.temperatures_K(), temperatures, below="refuse", above="refuse")

    neighbours = [phases.index(end) for end in ends]
    value = np.full((len(temperatures), len(formulas)), np.nan)
    if form == "electroneutral":
        gibbs = phases.gibbs(temperatures, energies=energies)
    else:
        difference = closest_differences(phases, [(neighbours[0], neighbours[1])], temperatures, energies=energies)
    fractions = phases.atom_fractions
    for k, formula in enumerate(formulas):
        layer = table_layer(transport, formula, phases, mode)
        # compositions may have been measured over different ranges
        known = (temperatures >= layer.temperature_K[0] - 1e-9) & (temperatures <= layer.temperature_K[-1] + 1e-9)
        bracket = layer.bracket(temperatures[known], below="refuse", above="refuse")
        if form == "electroneutral":
            here = phase_number(phases, formula)
            two = fractions[neighbours]
            if here is None or (shares := _mixing_shares(two, fractions[here])) is None:
                continue
            dG = gibbs[:, here] - gibbs[:, neighbours] @ shares
            geometry = 1.0 / (shares.prod() ** 2)
            along = (two[0] - two[1])[None, layer.columns]
            value[known, k] = layer.electroneutral(along, dG[known, None] * geometry, bracket)[:, 0]
        else:
            value[known, k] = layer.interpolated(difference[known], bracket, form)[:, 0]
    return value


def _fractions(formula: str, phases: Phases) -> np.ndarray:
    """Atom fractions of a formula (E,)."""
    composition = dict(composition_key(formula))
    counts = np.array([composition.get(element, 0) for element in phases.elements], dtype=float)
    return counts / counts.sum()


def _mixing_shares(neighbours: np.ndarray, layer: np.ndarray) -> np.ndarray | None:
    """Shares of its atoms that a layer (E,) takes from two neighbours (2, E), None where it is no mixture of them."""
    shares, *_ = np.linalg.lstsq(neighbours.T, layer, rcond=None)
    mixed = min(shares) > 1e-9 and np.abs(shares @ neighbours - layer).max() <= 1e-9
    return np.asarray(shares) if mixed else None


Bracket = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """Transport in one phase, laid out for many reactions at once.

    Attributes:
        temperature_K: Tabulated temperatures, shape (n,).
        L: Shape (n, S, S), 1/(J m s).
        fractions: Atom fractions of the ions, shape (S,).
        masses: Atomic masses of the ions, shape (S,).
        columns: Columns of the ions in element arrays, shape (S,).
        volume_m3: Volume per atom.
    """

    temperature_K: np.ndarray
    L: np.ndarray
    fractions: np.ndarray
    masses: np.ndarray
    columns: np.ndarray
    volume_m3: float

    def bracket(self, temperature_K: np.ndarray, **outside: Any) -> Bracket:
        """Return the tabulated temperatures around each temperature, and the weights between them."""
        return arrhenius_weights(self.temperature_K, temperature_K, **outside)

    def from_difference(self, difference_eV: np.ndarray, index: np.ndarray, form: str) -> np.ndarray:
        """Return K_D for differences of shape (nT, C, E) with L at the tabulated ``index``, shape (nT, C)."""
        force = difference_eV[:, :, self.columns] * EV_IN_J
        flux = np.einsum("tij,tcj->tci", self.L[index], force) / self.fractions
        total = np.abs(flux).sum(axis=-1) if form == "paper" else np.abs(flux.sum(axis=-1))
        return total * self.volume_m3

    def interpolated(self, difference_eV: np.ndarray, bracket: Bracket, form: str) -> np.ndarray:
        """Return K_D with the difference of each temperature and ln K_D linear in 1/T between the two brackets."""
        lower, upper, weight = bracket
        low, high = (self.from_difference(difference_eV, index, form) for index in (lower, upper))
        return interpolate_arrhenius(low, high, weight[:, None])

    def resistance(self, direction: np.ndarray) -> np.ndarray:
        """Return w·R·w for directions w (C, S) at every tabulated temperature, shape (n, C), J m s, or inf."""
        x, m = self.fractions, self.masses
        to_centre = np.eye(len(x)) - np.outer(x, m) / (m @ x)
        along = direction @ to_centre.T
        value = np.empty((len(self.L), len(direction)))
        for t, L in enumerate(self.L):
            centred = to_centre @ L @ to_centre.T
            values, vectors = np.linalg.eigh((centred + centred.T) / 2.0)
            part = along @ vectors
            open_ = values > 1e-12 * values[-1]
            value[t] = (part[:, open_] ** 2 / values[open_]).sum(axis=1)
            # Parts of the flux along m·J, zero by construction, are round-off; along anything else the way is blocked.
            blocked = (part[:, ~open_] ** 2).sum(axis=1) > 1e-12 * (along**2).sum(axis=1)
            value[t, blocked] = np.inf
        return value

    def electroneutral(self, direction: np.ndarray, dG_eV: np.ndarray, bracket: Bracket) -> np.ndarray:
        """Return K_D = v (-dG) / (w·R·w), shape (nT, C); ``dG_eV`` (nT, C) contains the 1/(a² b²) of the geometry."""
        lower, upper, weight = bracket
        mobility = 1.0 / self.resistance(direction)
        return (
            interpolate_arrhenius(mobility[lower], mobility[upper], weight[:, None]) * -dG_eV * EV_IN_J * self.volume_m3
        )


def table_layer(transport: TransportTable, formula: str, phases: Phases, mode: Literal["full", "self"]) -> Layer:
    """Return the layer of a composition of the table, with the volume of its phase or one in between."""
    number = phase_number(phases, formula)
    volume = phases[number].volume_A3_per_atom if number is not None else _interpolated_volume(phases, formula)
    return _layer(transport.of(formula), volume, mode, phases.elements)


def phase_number(phases: Phases, formula: str) -> int | None:
    """Return the position of the solid of that composition, or None."""
    key = composition_key(formula)
    solids = (n for n, phase in enumerate(phases) if phase.state != "gas" and composition_key(phase.formula) == key)
    return next(solids, None)


def _layer(
    entries: Sequence[OnsagerCoefficients], volume_A3: float, mode: Literal["full", "self"], elements: tuple[str, ...]
) -> Layer:
    species = entries[0].species
    composition = dict(composition_key(entries[0].formula))
    if set(composition) != set(species):
        raise DataError(f"species of {entries[0].formula} are {list(species)}, expected its elements.")
    counts = np.array([composition[symbol] for symbol in species], dtype=float)
    ordered = [[entry.species.index(symbol) for symbol in species] for entry in entries]
    if mode == "self":
        L = [np.diag(entry.L_self[order]) for entry, order in zip(entries, ordered, strict=True)]
    else:
        L = [entry.dissipative[np.ix_(order, order)] for entry, order in zip(entries, ordered, strict=True)]
    return Layer(
        temperature_K=np.array([entry.temperature_K for entry in entries]),
        L=np.array(L),
        fractions=counts / counts.sum(),
        masses=species_masses(species),
        columns=np.array([elements.index(symbol) for symbol in species]),
        volume_m3=volume_A3 * A3_IN_M3,
    )


def _interpolated_volume(phases: Phases, formula: str) -> float:
    """Volume per atom of a composition that is no phase, interpolated between two phases.

    Of all pairs of solids between which the composition lies, the pair closest to each other is taken.
    """
    target = _fractions(formula, phases)
    solids = np.flatnonzero(~phases.is_gas)
    first, second = (solids[pair] for pair in np.triu_indices(len(solids), k=1))
    fractions = phases.atom_fractions
    apart = fractions[first] - fractions[second]
    distance = (apart**2).sum(axis=1)
    with np.errstate(invalid="ignore"):
        share = ((target - fractions[second]) * apart).sum(axis=1) / distance
    off = np.abs(share[:, None] * apart + fractions[second] - target).max(axis=1, initial=0.0)
    between = np.flatnonzero((share >= 0) & (share <= 1) & (off < 1e-9))
    if not len(between):
        raise DataError(f"transport: no volume for {formula}, which lies between no two phases; add the phase.")
    pair = between[distance[between].argmin()]
    one, other = phases[int(first[pair])], phases[int(second[pair])]
    return float(share[pair] * one.volume_A3_per_atom + (1 - share[pair]) * other.volume_A3_per_atom)
