"""Features of structures whose values are known by hand, and what must not change them."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tammann.diffusivity.definitions import LOCAL_FEATURES, NAMES, PUBLISHED, WITH_ANION
from tammann.diffusivity.features import features_table, formula_of, structure_features
from tammann.diffusivity.local_features import anion_of, local_features
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.candidates import repeated
from tammann.structures.contacts import closest_contacts

LI, F, X_LI, X_F = 1.28, 0.57, 0.98, 3.98
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def rock_salt(a=4.03, cation="Li", anion="F"):
    positions = np.concatenate([FCC, FCC + [0.5, 0, 0]]) * a
    return Configuration((cation,) * 4 + (anion,) * 4, positions, a * np.eye(3))


def antifluorite(a=4.62):
    eighth = np.array([[x, y, z] for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)])
    return Configuration(("O",) * 4 + ("Li",) * 8, np.concatenate([FCC, eighth]) * a, a * np.eye(3))


def caesium_chloride(a=3.2):
    return Configuration(("Li", "Cl"), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]) * a, a * np.eye(3))


def test_rock_salt():
    """a = 4.03 Å: 6 unlike at a/2, 12 alike at a/sqrt(2), 8 unlike at sqrt(3)a/2 = 3.49 Å; the next lie at a."""
    a = 4.03
    found = local_features(rock_salt(a))
    shell = a / np.sqrt(2)
    assert (found["LNC"], found["SNC"], found["LLB"], found["SDLC"]) == (26.0, 26.0, 12.0, 0.0)
    assert found["AAV"] == pytest.approx(a**3 / 8) and found["VPA"] == pytest.approx(a**3 / 4)
    assert found["LASD"] == pytest.approx(a / 2) and found["LLSD"] == found["AASD"] == pytest.approx(shell)
    ionicity = (X_F - X_LI) * 14 / 26
    assert found["LBI"] == found["SBI"] == pytest.approx(ionicity) and found["RBI"] == pytest.approx(1.0)
    assert found["SDLI"] == pytest.approx(3.0 * np.sqrt((14 / 26) * (12 / 26)))
    assert found["AFC"] == 12.0 and found["ENS"] == pytest.approx(X_F)
    spheres = 4 / 3 * np.pi * np.array([LI, F]) ** 3
    assert found["PF"] == pytest.approx(4 * spheres.sum() / a**3)
    assert found["SPF"] == pytest.approx(4 * spheres[1] / a**3)
    # two anions face the middle of the path at half its length, ions its middle at sqrt(3)/2 of it
    assert found["SLPW_pp"] == pytest.approx(shell / 2)
    free = {"F": shell / 2 - F, "Li": shell * np.sqrt(3) / 2 - LI}
    assert found["SLPW"] == pytest.approx(min(free.values()))
    assert found["SLPE"] == pytest.approx({"F": X_F, "Li": X_LI}[min(free, key=free.__getitem__)])
    assert found["density_g_per_cm3"] == pytest.approx(4 * 25.939 / 6.02214 / a**3 * 10, rel=1e-4)


def test_antifluorite():
    """Li2O: around Li 4 O at sqrt(3)a/4, 12 at sqrt(11)a/4, 6 Li at a/2, 12 at a/sqrt(2); the next at 4.001 Å."""
    a = 4.62
    found = local_features(antifluorite(a))
    assert (found["LNC"], found["LLB"], found["SNC"]) == (34.0, 18.0, 44.0)
    assert found["LASD"] == pytest.approx(np.sqrt(3) / 4 * a) and found["LLSD"] == pytest.approx(a / 2)
    assert found["AASD"] == pytest.approx(a / np.sqrt(2)) and found["AFC"] == 12.0
    assert found["VPA"] == pytest.approx(a**3 / 4) and found["RNC"] == pytest.approx(34 / 44)
    # the path along an edge of the cube of Li, a/2 long: O sits at the centres of half of the cubes
    assert found["SLPW_pp"] == pytest.approx(a / 2 * np.sqrt(0.5))


def test_a_cell_of_two_atoms():
    """Caesium chloride structure: the nearest other ion is an image of the ion itself."""
    a = 3.2
    found = local_features(caesium_chloride(a))
    assert (found["LNC"], found["LLB"], found["SNC"]) == (14.0, 6.0, 14.0)
    assert found["LLSD"] == found["AASD"] == pytest.approx(a) and found["LASD"] == pytest.approx(a * np.sqrt(3) / 2)
    # the ends of four anions around the middle of the edge
    assert found["SLPW_pp"] == pytest.approx(a / np.sqrt(2))


def glass(seed, atoms=24, a=7.0):
    rng = np.random.default_rng(seed)
    symbols = tuple(rng.permutation(["Li"] * (atoms // 3) + ["P"] * (atoms // 6) + ["S"] * (atoms // 2)).tolist())
    return Configuration(symbols, rng.uniform(size=(atoms, 3)) * a, a * np.eye(3) + rng.normal(0, 0.4, (3, 3)))


def alike(one, other):
    for name in one:
        assert one[name] == pytest.approx(other[name], rel=1e-9, abs=1e-9), name


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_supercells_permutations_rotations_translations_and_images_change_nothing(seed):
    atoms, rng = glass(seed), np.random.default_rng(seed + 1)
    assume(min(closest_contacts(atoms).values()) > 0.3)  # nearer ones are refused
    expected = local_features(atoms)
    alike(expected, local_features(repeated(atoms, (2, 1, 1))))
    order = rng.permutation(atoms.n_atoms)
    alike(expected, local_features(atoms.take(order)))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    alike(expected, local_features(Configuration(atoms.symbols, atoms.positions_A @ turn, atoms.cell_A @ turn)))
    moved = atoms.positions_A + rng.uniform(-5, 5, 3) + rng.integers(-2, 3, (atoms.n_atoms, 3)) @ atoms.cell_A
    alike(expected, local_features(Configuration(atoms.symbols, moved, atoms.cell_A)))


def brute_force(atoms, ion, cutoff):
    """The slow twin: loops over atoms and images."""
    from tammann.diffusivity.elements import element_values

    X, r = element_values("electronegativity").values, element_values("covalent_radius_A").values
    images = np.array([[i, j, k] for i in range(-3, 4) for j in range(-3, 4) for k in range(-3, 4)]) @ atoms.cell_A
    at, symbols = atoms.positions_A, atoms.symbols
    anion = max(set(symbols) - {ion}, key=X.__getitem__)
    neighbours = {i: [(s, v, np.linalg.norm(v)) for s, p in zip(symbols, at, strict=True) for v in p + images - at[i]
                      if np.linalg.norm(v) > 1e-9] for i in range(len(symbols))}  # fmt: skip
    ions = [i for i, s in enumerate(symbols) if s == ion]
    bonds = {i: [(s, d) for s, _, d in found if d <= cutoff] for i, found in neighbours.items()}
    ionicity = {i: [abs(X[symbols[i]] - X[s]) for s, _ in found] for i, found in bonds.items()}
    anions = [i for i, s in enumerate(symbols) if s == anion]
    nearest = {i: min(d for s, _, d in neighbours[i] if s == anion) for i in anions}
    paths = []
    for i in ions:
        _, end, length = min((n for n in neighbours[i] if n[0] == ion), key=lambda n: n[2])
        rest = []
        for s, v, _ in neighbours[i]:
            if np.linalg.norm(v - end) > 1e-9:
                t = np.clip(v @ end / length**2, 0, 1)
                rest.append((np.linalg.norm(v - t * end), s))
        paths.append((min(d - r[s] for d, s in rest), min(rest)[0], X[min(rest, key=lambda n: n[0] - r[n[1]])[1]]))
    return {
        "LBI": np.mean([np.mean(ionicity[i]) for i in ions if ionicity[i]]),
        "SDLI": np.std(np.concatenate([ionicity[i] for i in ions])),
        "SBI": np.mean(np.concatenate([ionicity[i] for i in range(len(symbols)) if i not in ions])),
        "LNC": np.mean([len(bonds[i]) for i in ions]),
        "SDLC": np.std([len(bonds[i]) for i in ions]),
        "LLB": np.mean([sum(s == ion for s, _ in bonds[i]) for i in ions]),
        "AFC": np.mean([sum(s == anion and d <= nearest[i] + 1 for s, _, d in neighbours[i]) for i in anions]),
        "AASD": np.mean(list(nearest.values())),
        "LASD": np.mean([min(d for s, _, d in neighbours[i] if s == anion) for i in ions]),
        "SLPW": np.mean([path[0] for path in paths]),
        "SLPW_pp": np.mean([path[1] for path in paths]),
        "SLPE": np.mean([path[2] for path in paths]),
    }


@pytest.mark.parametrize("seed", range(3))
def test_loops_over_atoms_give_the_same(seed):
    atoms = glass(seed)
    found = local_features(atoms)
    for name, value in brute_force(atoms, "Li", 4.0).items():
        assert found[name] == pytest.approx(value), name


def test_any_ion_and_any_anion():
    salt = rock_salt(5.64, "Na", "Cl")
    assert local_features(salt, ion="Na", cutoff_A=3.0)["LNC"] == 6.0
    assert local_features(salt, ion="Cl", anion="Na", cutoff_A=3.0)["LASD"] == pytest.approx(2.82)
    mixed = glass(3)
    published = local_features(Configuration(tuple("Zn" if s == "P" else s for s in mixed.symbols), mixed.positions_A,
                                             mixed.cell_A), anion="published")  # fmt: skip
    usual = local_features(Configuration(tuple("Zn" if s == "P" else s for s in mixed.symbols), mixed.positions_A,
                                         mixed.cell_A))  # fmt: skip
    differ = {name for name in usual if usual[name] != published[name]}
    assert differ == WITH_ANION
    assert anion_of(["Li", "O", "S"], "Li") == "O" and anion_of(["F", "Li"], "F") == "Li"


def test_a_chain_of_far_ions_is_found():
    """The nearest other ion may be far beyond 4 Å."""
    a = 9.0
    far = Configuration(("Li", "F", "F"), np.array([[0, 0, 0], [2.0, 0, 0], [-2.0, 0, 0]]), np.diag([a, 11, 12]))
    found = local_features(far)
    assert found["LLSD"] == pytest.approx(a) and found["SLPW_pp"] == pytest.approx(0.0, abs=1e-9)


def test_a_large_atom_behind_the_far_end_of_a_path_narrows_it():
    """Paths between two ions 9 Å apart: the caesium 2.2 Å behind one of them is 11.2 Å from the other."""
    symbols = ("Li", "Li", "F", "F", "F", "F", "Cs")
    at = [[0, 0, 0], [9, 0, 0], [0, 2, 0], [9, 2, 0], [0, 0, 2], [9, 0, 2], [11.2, 0, 0]]
    atoms = Configuration(symbols, np.array(at, dtype=float), 20.0 * np.eye(3))
    found = local_features(atoms)
    assert found["LLSD"] == pytest.approx(9.0) and found["SLPW_pp"] == pytest.approx(2.0)
    assert found["SLPW"] == pytest.approx(2.2 - 2.44) and found["SLPE"] == pytest.approx(0.79)


@pytest.mark.parametrize(
    ("atoms", "options", "sentence"),
    [
        (rock_salt(cation="Na"), {}, "expected the mobile ion Li"),
        (Configuration(("Li",), np.zeros((1, 3)), 3 * np.eye(3)), {}, "other elements beside"),
        (rock_salt(anion="Es"), {}, "Es: no"),
        (Configuration(("Li", "F"), np.array([[0, 0, 0], [1.5, 0, 0]]), 60 * np.eye(3)), {}, "molecule"),
        (Configuration(("Li", "F"), np.array([[0, 0, 0], [10.0, 0, 0]]), 30 * np.eye(3)), {}, "molecule"),
        (rock_salt(), {"anion": "O"}, "anion: expected one of F, Li"),
        (rock_salt(), {"anion": "Li"}, "anion: expected another element than the mobile ion Li"),
        (
            Configuration(("Li", "Li", "F"), np.array([[0, 0, 0], [0, 0, 0], [2.0, 2, 2]]), 4 * np.eye(3)),
            {},
            "two at 0 Å",
        ),
    ],
)
def test_bad_input_gets_one_sentence(atoms, options, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        local_features(atoms, **options)
    assert "\n" not in str(caught.value)


def test_tables_and_frames():
    frames = [rock_salt(4.0), rock_salt(4.1)]
    mean = structure_features(frames, temperature_K=1000.0)
    each = [structure_features(one, temperature_K=1000.0) for one in frames]
    assert mean["AAV"] == pytest.approx(np.mean([one["AAV"] for one in each])) and tuple(mean) == NAMES
    assert len(NAMES) == 44 and len(PUBLISHED) == 43 and len(LOCAL_FEATURES) == 22
    table = features_table({"a": frames, "b": antifluorite()}, temperatures_K=[1000.0, 2000.0])
    assert table["formula"].tolist() == ["LiF", "LiF", "Li2O", "Li2O"] and not table.isna().any().any()
    assert formula_of(antifluorite()) == "Li2O"
    with pytest.raises(DataError, match="several"):
        structure_features([rock_salt(), antifluorite()], temperature_K=1000.0)
    with pytest.raises(DataError, match="b: Li"):
        features_table({"b": Configuration(("Li",), np.zeros((1, 3)), 3 * np.eye(3))}, temperatures_K=[1000.0])
    with pytest.raises(DataError, match="above 0 K"):
        structure_features(rock_salt(), temperature_K=0.0)
