"""The list of precursors: readable, decomposing to what it says, with the elements that it must keep."""

import pytest

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.synthesis import choose_precursors, load_precursors
from tammann.synthesis.oxidation import states_balance
from tammann.synthesis.precursor_list import USUAL_KINDS, decomposition_chain

ORGANIC = ("acetate", "oxalate")


def test_every_compound_is_there_once_and_can_be_read():
    keys = [composition_key(one.composition) for one in load_precursors()]
    assert len(set(keys)) == len(keys) > 800


def test_oxidation_states_of_the_usual_kinds_add_up():
    wrong = [
        one.formula for one in load_precursors() if one.kind in USUAL_KINDS and not states_balance(one.composition)
    ]
    assert set(wrong) == {"KO2", "MoCl2", "ReCl3", "SiO"}  # a superoxide, clusters of metal atoms, a vapour's solid


def test_decomposition_keeps_the_metals_and_their_ratio():
    gone = {"O", "C", "H", "N"}
    for one in load_precursors():
        for formula in decomposition_chain(one)[1:]:
            before = {e: n for e, n in one.composition.items() if e not in gone}
            after = {e: n for e, n in parse_formula(formula).items() if e not in gone}
            assert composition_key(before) == composition_key(after), one.formula


def test_every_chain_of_salts_ends_in_a_solid_without_c_h_and_n():
    for one in load_precursors():
        if one.kind in (*ORGANIC, "nitrate", "hydroxide", "ammonium", "carbonate"):
            chain = decomposition_chain(one)
            assert len(chain) > 1, one.formula
            assert not {"C", "H", "N"} & set(parse_formula(chain[-1])), one.formula


def test_kinds_and_candidates():
    assert [p.formula for p in choose_precursors({"Sr", "O"}, kinds=["oxide"])] == ["SrO", "SrO2"]
    mine = choose_precursors({"Sr", "Ti", "O", "C"}, candidates=["TiO2", "Sr2C2O6", "NaCl"])
    assert [(p.formula, p.kind, p.decomposes_to) for p in mine] == [
        ("TiO2", "oxide", ""),
        ("Sr2C2O6", "carbonate", "SrO"),
    ]
    with pytest.raises(DataError, match="'oxides' is not on the list: expected oxide, carbonate"):
        choose_precursors({"Sr", "O"}, kinds=["oxides"])
