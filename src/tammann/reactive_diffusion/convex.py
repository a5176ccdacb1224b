"""Several components: the step of the gradient flow as a convex quadratic programme, for cells joined by any faces.

With a_ip >= 0 the sites of cell i in phase p, z_p the composition per site along the D directions of the fluxes, and
Q_f the amounts that cross face f in the step, the state goes to the minimum of

    sum_i sum_p a_ip g_p + 1/2 sum_f Q_f.R_f Q_f / (A_f dt),
    sum_p a_ip = n_i,    sum_p a_ip z_p = n_i z_i(old) + sum_f (+-) Q_f,

backward Euler of Onsager's principle. The interior-point solver PIQP does the work.

Reference:
    Schwan, Jiang, Kuhn, Jones, CDC 2023, doi 10.1109/CDC49753.2023.10383915 (PIQP).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from tammann.errors import ResultError

LARGEST_RESISTANCE = 1e5
"""In units of 1 / (eV times the mean sites of a cell): no face passes less, or the programme has no interior."""
ACCURACY = 1e-9


class ConvexStep:
    """The programme of one step, set up once for a set of cells, faces and phases.

    Args:
        sites: Of every cell, shape (N,).
        faces: The two cells of every face, shape (F, 2).
        composition: z of every phase, shape (P, D).
    """

    def __init__(self, sites: np.ndarray, faces: np.ndarray, composition: np.ndarray) -> None:
        import piqp

        self.sites, self.faces = sites, faces
        N, F = len(sites), len(faces)
        P, D = composition.shape
        self.shape = N, F, P, D
        columns = np.arange(N * P).reshape(N, P)
        crossing = N * P + np.arange(F * D).reshape(F, D)
        # unknowns are the shares a_ip / n_i and the fluxes in units that make the dissipation of order one
        rows, where, values = [np.repeat(np.arange(N), P)], [columns.ravel()], [np.ones(N * P)]
        for d in range(D):
            row = N + d * N
            rows += [row + np.repeat(np.arange(N), P), row + faces[:, 0], row + faces[:, 1]]
            where += [columns.ravel(), crossing[:, d], crossing[:, d]]
            # a composition of zero keeps its place, so that the pattern of the matrix does not depend on it
            values += [np.tile(composition[:, d], N), np.full(F, np.nan), np.full(F, np.nan)]
        self.values = np.concatenate(values)
        self.of_fluxes = np.isnan(self.values)
        self.balance, self.balance_order = _pattern(
            np.concatenate(rows), np.concatenate(where), (N * (D + 1), N * P + F * D)
        )
        block = np.broadcast_to(crossing[:, :, None], (F, D, D))
        other = np.broadcast_to(crossing[:, None, :], (F, D, D))
        self.upper = np.triu(np.ones((D, D), bool))
        self.quadratic, self.quadratic_order = _pattern(
            block[:, self.upper].ravel(), other[:, self.upper].ravel(), (N * P + F * D,) * 2
        )
        self.solver: Any = piqp.SparseSolver()
        self.solver.settings.eps_abs = self.solver.settings.eps_rel = ACCURACY
        self.solver.settings.preconditioner_scale_cost = True
        self.solved = piqp.PIQP_SOLVED
        self.ready = False

    def solve(
        self, gibbs: np.ndarray, z: np.ndarray, resistance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the amounts that cross the faces, the sites by phase and the potentials.

        Args:
            gibbs: Of every phase, eV per site, shape (P,).
            z: Composition of every cell before the step, shape (N, D).
            resistance: R_f / (A_f dt), eV per amount squared, shape (F, D, D).

        Returns:
            Q, shape (F, D), from the first cell to the second; a, shape (N, P); psi, eV per site, shape (N, D); and the
            part of each face's resistance that was used, below one where it would have passed less than round-off,
            (F,).

        Raises:
            ResultError: The solver did not converge, also with iterative refinement.
        """
        N, F, P, D = self.shape
        scale = self.sites.mean()  # of the objective
        size = np.trace(resistance, axis1=1, axis2=2) / D * scale
        used = np.minimum(1.0, LARGEST_RESISTANCE / size)
        resistance = resistance * used[:, None, None]
        unit = np.sqrt(scale * D / np.trace(resistance, axis1=1, axis2=2))
        self.quadratic.data[:] = (resistance * (unit**2 / scale)[:, None, None])[:, self.upper].ravel()[
            self.quadratic_order
        ]
        # a positive flux takes from the first cell and gives to the second
        given = np.concatenate([unit / self.sites[self.faces[:, 0]], -unit / self.sites[self.faces[:, 1]]])
        self.values[self.of_fluxes] = np.tile(given, D)
        self.balance.data[:] = self.values[self.balance_order]
        c = np.concatenate([((self.sites / scale)[:, None] * gibbs).ravel(), np.zeros(F * D)])
        b = np.concatenate([np.ones(N), z.T.ravel()])
        if self.ready:
            self.solver.update(P=self.quadratic, c=c, A=self.balance, b=b)
        else:
            lower = np.concatenate([np.zeros(N * P), np.full(F * D, -np.inf)])
            self.solver.setup(self.quadratic, c, self.balance, b, None, None, None, lower, None)
            self.ready = True
        status = self.solver.solve()
        if status != self.solved:
            self.solver.settings.iterative_refinement_always_enabled = True
            status = self.solver.solve()
            self.solver.settings.iterative_refinement_always_enabled = False
        if status != self.solved:
            raise ResultError(
                f"reactive diffusion: a step did not converge ({status}); take fewer cells, or fewer phases"
            )
        x, multiplier = self.solver.result.x, self.solver.result.y
        Q = x[N * P :].reshape(F, D) * unit[:, None]
        psi = -multiplier[N:].reshape(D, N).T * scale / self.sites[:, None]
        return Q, x[: N * P].reshape(N, P) * self.sites[:, None], psi, used


def _pattern(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> tuple[sparse.csc_matrix, np.ndarray]:
    """Return a sparse matrix with those entries, and the order in which they lie in its data."""
    numbered = sparse.csc_matrix((np.arange(1.0, len(rows) + 1.0), (rows, columns)), shape=shape)
    numbered.sort_indices()
    return numbered, numbered.data.astype(np.int64) - 1


@njit(cache=True, nogil=True)
def split(sites: Any, z: Any, guess: Any, composition: Any) -> Any:
    """Return the sites of each phase that make up each cell exactly, from an approximate solution.

    Of the phases that the solver found, those with most of a cell, one more than there are directions and none a
    mixture of the others, carry the whole cell.

    Args:
        sites: Of every cell, shape (N,).
        z: Composition of every cell, shape (N, D).
        guess: Sites of each phase, approximate, shape (N, P).
        composition: Of every phase, shape (P, D).

    Example:
        >>> split(np.ones(1), np.array([[0.25]]), np.array([[0.7, 0.3]]), np.array([[0.0], [1.0]])).round(9).tolist()
        [[0.75, 0.25]]
    """
    N, P = guess.shape
    D = composition.shape[1]
    result = np.zeros((N, P))
    full = np.ones((P, D + 1))
    full[:, 1:] = composition
    basis = np.zeros((D + 1, D + 1))
    chosen = np.empty(D + 1, np.int64)
    target = np.ones(D + 1)
    row = np.empty(D + 1)
    for i in range(N):
        target[0], target[1:] = 1.0, z[i]
        count = 0
        for p in np.argsort(-guess[i]):
            row[:] = full[p]
            for k in range(count):
                row -= (row * basis[k]).sum() * basis[k]
            size = np.sqrt((row * row).sum())
            if size > 1e-7:
                basis[count] = row / size
                chosen[count] = p
                count += 1
                if count == D + 1:
                    break
        # triangular: the k-th direction is at right angles to the phases before it
        for k in range(count - 1, -1, -1):
            part = (basis[k] * target).sum() / (basis[k] * full[chosen[k]]).sum()
            target -= part * full[chosen[k]]
            result[i, chosen[k]] = part * sites[i]
    return result
