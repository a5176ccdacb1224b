import numpy as np
from scipy.optimize import minimize

from tammann.thermo._closest import closest_in_faces


def test_the_shortest_vector_is_that_of_a_general_optimizer():
    rng = np.random.default_rng(3)
    for _ in range(10):
        corners = np.vstack([rng.normal(size=(4, 3)), rng.normal(size=(5, 3)) + 3.0])
        found = closest_in_faces(corners, np.array([0, 4, 9]), np.arange(9), np.array([[0, 1]]))[0]
        signed = corners * np.repeat([1.0, -1.0], [4, 5])[:, None]
        sums = [{"type": "eq", "fun": lambda w, part=part: w[part].sum() - 1} for part in (slice(0, 4), slice(4, 9))]
        best = minimize(
            lambda w, signed=signed: ((w @ signed) ** 2).sum(), np.repeat([0.25, 0.2], [4, 5]), bounds=[(0, 1)] * 9,
            constraints=sums, method="SLSQP", options={"ftol": 1e-12},
        )  # fmt: skip
        np.testing.assert_allclose(found, best.x @ signed, atol=1e-4)
