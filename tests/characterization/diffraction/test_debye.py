import numpy as np
import pytest

from tammann.characterization.diffraction import Resolution, debye_pattern, scattering_amplitudes
from tammann.characterization.diffraction.pair_histogram import pair_histograms
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

VACUUM = 100.0 * np.eye(3)


def exact(cluster: Configuration, q: np.ndarray) -> np.ndarray:
    """The Debye sum, term by term."""
    table = scattering_amplitudes(tuple(set(cluster.symbols)), q)
    f = np.array([table[symbol] for symbol in cluster.symbols])
    r = np.linalg.norm(cluster.positions_A[:, None] - cluster.positions_A, axis=-1)
    return np.array([f[:, k] @ np.sinc(q[k] * r / np.pi) @ f[:, k] for k in range(len(q))]) / cluster.n_atoms


def rock_salt(n: int) -> Configuration:
    steps = np.indices((n, n, n)).reshape(3, -1)
    return Configuration(tuple(np.array(["Na", "Cl"])[steps.sum(axis=0) % 2]), 2.82 * steps.T, VACUUM)


def glass() -> Configuration:
    rng = np.random.default_rng(2)
    return Configuration(("Ba", "Zr", "S", "S", "S") * 60, 18.0 * rng.random((300, 3)), VACUUM)


def test_two_atoms_give_the_wave_of_their_distance():
    q = np.linspace(0.2, 30.0, 500)
    pair = Configuration(("Ar", "Ar"), np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 6.8]]), VACUUM)
    pattern = debye_pattern(pair, q)
    np.testing.assert_allclose(pattern.structure_factor, 1.0 + np.sin(3.8 * q) / (3.8 * q), atol=1e-5)
    np.testing.assert_allclose(pattern.reduced_structure_factor, np.sin(3.8 * q) / 3.8, atol=1e-4)


@pytest.mark.parametrize("cluster", [rock_salt(8), glass()], ids=["crystal", "glass"])
@pytest.mark.parametrize("q_max", [5.25, 25.0])
def test_the_histogram_agrees_with_the_exact_sum(cluster, q_max):
    q = np.linspace(0.3, q_max, 120)
    pattern, sum_of_terms = debye_pattern(cluster, q), exact(cluster, q)
    assert (np.abs(pattern.intensity - sum_of_terms) / pattern.mean_square_amplitude).max() < 2e-5
    assert np.abs(pattern.intensity / sum_of_terms - 1.0).max() < 1e-4


def test_partials_add_up_to_the_intensity():
    pattern = debye_pattern(glass(), np.linspace(0.5, 10.0, 50), u_iso_A2={"S": 0.01})
    f, t = pattern.amplitudes, pattern.thermal
    total = pattern.mean_square_amplitude.copy()
    for (a, b), partial in pattern.partials.items():
        own = pattern.concentrations[pattern.species.index(a)] if a == b else 0.0
        total += (1.0 if a == b else 2.0) * f[a] * f[b] * t[a] * t[b] * (partial - own)
    np.testing.assert_allclose(pattern.intensity, total, rtol=1e-12)
    assert list(pattern.partials)[:3] == [("Ba", "Ba"), ("Ba", "Zr"), ("Ba", "S")]


def test_at_long_waves_all_atoms_scatter_in_phase():
    pattern = debye_pattern(rock_salt(4), np.array([1e-3, 2e-3]))
    np.testing.assert_allclose(pattern.intensity, 64 * pattern.mean_amplitude**2, rtol=1e-3)


def test_position_orientation_and_order_do_not_matter():
    cluster, q = glass(), np.linspace(0.5, 10.0, 50)
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(cluster.n_atoms)
    symbols = tuple(cluster.symbols[k] for k in order)
    moved = Configuration(symbols, cluster.positions_A[order] @ turn + [3.0, -7.0, 1.0], VACUUM)
    np.testing.assert_allclose(debye_pattern(moved, q).intensity, debye_pattern(cluster, q).intensity, rtol=1e-4)


def test_threads_change_nothing():
    q = np.linspace(0.5, 10.0, 50)
    one, two = (debye_pattern(glass(), q, threads=n).intensity for n in (1, 2))
    assert (one == two).all()


def test_every_pair_is_counted_once():
    points = np.random.default_rng(4).random((40, 3))
    histograms, nearest = pair_histograms(points, np.array([15, 25]), 0.01)
    np.testing.assert_allclose(histograms.sum(axis=1), [15 * 14 / 2, 15 * 25, 25 * 24 / 2], rtol=1e-12)
    r = np.linalg.norm(points[:, None] - points, axis=-1)
    assert nearest == pytest.approx(r[r > 0.0].min())


def test_resolution_smears_the_pattern_and_keeps_its_area():
    q = np.arange(0.5, 12.0, 0.005)
    sharp, broad = debye_pattern(rock_salt(6), q), debye_pattern(rock_salt(6), q, resolution=Resolution(0.2))
    inner = (q > 1.5) & (q < 11.0)
    pair = ("Na", "Cl")
    assert broad.partials[pair].max() < 0.9 * sharp.partials[pair].max()
    assert broad.partials[pair][inner].mean() == pytest.approx(sharp.partials[pair][inner].mean(), rel=0.01, abs=2e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"radiation": "electron"}, "expected 'xray' or 'neutron'"),
        ({"b_iso_A2": 1.0, "u_iso_A2": 0.01}, "expected one"),
        ({"b_iso_A2": {"Zr": 1.0}}, "names Zr"),
        ({"u_iso_A2": 3.0}, "between 0 and 100"),
    ],
)
def test_bad_options_get_one_sentence(options, words):
    with pytest.raises(DataError, match=words):
        debye_pattern(rock_salt(2), np.linspace(1.0, 5.0, 5), **options)


def test_an_atom_given_twice_is_refused():
    twice = Configuration(("Na", "Cl"), np.zeros((2, 3)), VACUUM)
    with pytest.raises(DataError, match="same place"):
        debye_pattern(twice, np.linspace(1.0, 5.0, 5))


def test_an_unknown_element_is_named():
    unknown = Configuration(("Na", "Xx"), np.eye(3)[:2], VACUUM)
    with pytest.raises(DataError, match="'Xx'"):
        debye_pattern(unknown, np.linspace(1.0, 5.0, 5))
