"""The difference in chemical potential across a layer that is in equilibrium with what lies on either side of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tammann.thermo.open_gases import gas_frame
from tammann.thermo.phase import FloatArray, Phases


def difference_across_layers(first: FloatArray, layer: FloatArray, free: FloatArray) -> FloatArray:
    """Return the difference in chemical potential across layers, for each eV that forming them gives off.

    The shortest d, in the elements left free, with

        layer . d = 0   and   first . d = 1,

    where ``layer`` are the atoms of a reaction's product and ``first`` those that one of its two neighbours brings: the
    layer is in equilibrium on both its sides, and the neighbour only on its own. With the reaction's dG in eV, -dG d is
    mu(first side) - mu(second side).

    Args:
        first: Atoms that the first neighbour brings to a reaction, shape (n, E).
        layer: Atoms of what the reaction makes, gases left out, shape (n, E).
        free: How potentials can change, d = free @ d[free elements], shape (E, K); see ``free_directions``.

    Returns:
        Per atom of each element, shape (n, E); NaN where the layer has the composition of its neighbour.

    Example:
        >>> import numpy as np
        >>> BaO, BaTiO3 = np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 3.0, 1.0]])  # of Ba, O and Ti
        >>> d = difference_across_layers(BaO, BaTiO3, np.eye(3))
        >>> (BaO @ d[0]).round(9).tolist(), (BaTiO3 @ d[0]).round(9).tolist()
        ([1.0], [0.0])
    """
    conditions = np.stack([layer @ free, first @ free], axis=1)
    size = np.linalg.norm(conditions, axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = conditions / size[:, :, None]
        # Of two rows of length one at the angle a the shortest solution is the second, less its part along the first.
        cosine = (unit[:, 0] * unit[:, 1]).sum(axis=1)[:, None]
        square = 1.0 - cosine**2
        along = (unit[:, 1] - cosine * unit[:, 0]) / square / size[:, 1, None]
    return np.asarray(np.where(square > 1e-9, along, np.nan) @ free.T)


def local_equilibrium_differences(
    phases: Phases,
    layers: Sequence[tuple[str | int, str | int, str | int | Mapping[str, float]]],
    temperature_K: npt.ArrayLike,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> FloatArray:
    """Return the difference in chemical potential across layers that are in equilibrium with their neighbours.

    At the boundary first | product the potentials of both phases are met, x_first . mu = g_first and x_product . mu =
    g_product, and the same at product | second. The difference d = mu(first side) - mu(second side) therefore has

        x_product . d = 0   and   x_first . d = -dG / alpha,

    with x atom fractions, product = alpha first + beta second by atoms, and dG the reaction's Gibbs energy per atom of
    product. It vanishes with dG, where the difference between the stability domains of the neighbours (see
    ``closest_differences``) need not. In a system of more than two elements there is a family of such d; the shortest
    is returned, which as any distance between chemical potentials depends on the choice of components.

    Args:
        phases: The system.
        layers: (first, second, product), as formulas or positions; a product of several phases is a mapping of formulas
            to moles of formula units.
        temperature_K: K, shape (nT,) or a scalar.
        energies: Name of the energy set; the default set where none is given.
        partial_pressure_Pa: Gases held at a pressure, Pa; with them the product need only be a mixture of its
            neighbours and the gases.

    Returns:
        eV per atom of each element, shape (nT, n_layers, E); NaN where the product is no mixture of the two phases and
        the open gases, or the set has no energy.

    Raises:
        DataError: A phase, a gas or a temperature is outside the data.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> d = local_equilibrium_differences(phases, [("BaO", "TiO2", "BaTiO3")], 1250.0)[0, 0]
        >>> bool(abs(phases.atom_fractions[phases.index("BaTiO3")] @ d) < 1e-12)
        True
    """
    temperatures = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    matrix = phases.composition_matrix.astype(float)
    weights = np.zeros((len(layers), len(phases)))
    ends = np.zeros((len(layers), 2), dtype=np.int64)

    def position(name: str | int) -> int:
        return int(name) if isinstance(name, (int, np.integer)) else phases.index(name)

    for k, (first, second, product) in enumerate(layers):
        ends[k] = position(first), position(second)
        parts = product if isinstance(product, Mapping) else {product: 1.0}
        for name, moles in parts.items():
            weights[k, position(name)] += moles * matrix[position(name)].sum()
        weights[k] /= weights[k].sum()
    gibbs = phases.gibbs(temperatures, energies=energies)
    fractions = phases.atom_fractions
    result = np.full((len(temperatures), len(layers), len(phases.elements)), np.nan)
    for t, T in enumerate(temperatures):
        frame = gas_frame(phases, gibbs[t], T, partial_pressure_Pa)
        x = fractions @ frame.matrix
        g = gibbs[t] - fractions @ frame.offset
        x_product = weights @ x
        g_product = (weights * np.where(weights > 0.0, g, 0.0)).sum(axis=1)
        sides = np.stack([x[ends[:, 0]], x[ends[:, 1]]], axis=2)
        amounts = np.einsum("lij,lj->li", np.linalg.pinv(sides), x_product)
        fits = np.abs(np.einsum("lij,lj->li", sides, amounts) - x_product).max(axis=1, initial=0.0) < 1e-9
        fits &= amounts.min(axis=1) > 1e-9
        alpha = np.where(fits, amounts[:, 0], np.nan)
        dG = g_product - alpha * g[ends[:, 0]] - amounts[:, 1] * g[ends[:, 1]]
        unit = difference_across_layers(fractions[ends[:, 0]], weights @ fractions, frame.matrix)
        result[t] = unit * (-dG / alpha)[:, None]
    return result
