"""Tables of diffusivities: reading, joining, refusing."""

import numpy as np
import pytest

from tammann.diffusivity.table import DiffusivityTable, load_published, load_table
from tammann.errors import DataError

from . import published
from .made_up_table import FORMULAS, made_up_table


def test_saved_and_read(tmp_path):
    table = made_up_table()
    table.save(tmp_path / "table.csv")
    again = load_table(tmp_path / "table.csv")
    assert again.formulas == table.formulas and set(again.names) == set(table.names)
    np.testing.assert_allclose(again.column("PF"), table.column("PF"))
    np.testing.assert_allclose(again.D_m2_per_s, table.D_m2_per_s)
    assert len(set(table.groups.tolist())) == len(FORMULAS)


def test_groups_are_compositions():
    table = DiffusivityTable(
        ("LiF", "Li2F2", "FLi", "Li2O"), ("temperature_K",), np.full((4, 1), 1000.0), np.ones(4), "x"
    )
    assert table.groups.tolist() == [0, 0, 0, 1]


def test_joined_tables_stand_on_one_set_of_elements():
    one = made_up_table().recovered()
    two = made_up_table(seed=2).select(["temperature_K", "LNC", "radius_A"])
    both = one.joined(two)
    assert both.n_rows == 2 * one.n_rows and both.names == ("temperature_K", "LNC", "radius_A")
    assert both.elements is None and len(both.source) == both.n_rows
    assert both.take(np.arange(3)).source == ("made up",) * 3


def test_the_published_table():
    table = load_published(published.path())
    assert repr(table) == "DiffusivityTable(792 rows of 207 compositions, 43 features)"
    assert np.exp(table.ln_D[0]) == pytest.approx(0.1251633e-7)
    assert sorted(set(table.temperatures_K.tolist())) == [1000.0, 1500.0, 2000.0, 2500.0]
    own = table.with_shipped_elements()
    assert abs(own.column("radius_A") - table.column("radius_A")).max() < 1e-9
    assert abs(own.column("bulk_modulus_GPa") - table.column("bulk_modulus_GPa")).max() > 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("formula,temperature_K\nLiF,1000\n", "column D_m2_per_s"),
        ("formula,temperature_K,D_m2_per_s\nLiF,1000,0\n", "D_m2_per_s of LiF is 0"),
        ("formula,temperature_K,D_m2_per_s,ion\nLiF,1000,1,Li\nNaF,1000,1,Na\n", "of one ion, got those of Li, Na"),
        ("formula,temperature_K,D_m2_per_s\nLiF,1000,1\nNaF,1000,1\n", "table.csv: NaF: expected the mobile ion Li"),
        ("formula,temperature_K,D_m2_per_s,PF\nLiF,1000,1e-9,\n", "PF of LiF is not finite"),
        ("formula,temperature_K,D_m2_per_s,PF\nLiF,1000,1e-9,many\n", "expected numbers"),
    ],
)
def test_bad_tables_get_one_sentence(tmp_path, text, sentence):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        load_table(tmp_path / "table.csv")


def test_rows_of_a_database_that_do_not_diffuse_are_left_out(tmp_path):
    head = "formula,temperature_K,D_m2_per_s,diffusive,crystalline\n"
    (tmp_path / "table.csv").write_text(head + "Li2O,1500,1e-9,1,0\nLi2O,1000,0,0,0\nLiF,1000,1e-9,1,1\n")
    assert load_table(tmp_path / "table.csv").temperatures_K.tolist() == [1500.0]
    (tmp_path / "table.csv").write_text(head + "Li2O,1000,0,0,0\n")
    with pytest.raises(DataError, match="rows to learn from"):
        load_table(tmp_path / "table.csv")


def test_a_wrong_path_or_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_published(tmp_path)
    (tmp_path / "feature_target.dat").write_text("a b\n1 2\n")
    with pytest.raises(DataError, match="expected the column formula"):
        load_table(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        load_table(tmp_path / "no.csv")
