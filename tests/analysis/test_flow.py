"""The flow of atoms: none is lost, no circles, labels where chemistry has them."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest

from tammann.analysis import fallback_share, reaction_flow
from tammann.errors import ResultError
from tammann.history import History


def test_fallback_share_by_hand(history):
    # One event each of BaO + TiO2 (5 atoms) and of BaTiO3 + TiO2 (8 atoms, without transport data).
    extent = np.zeros_like(history.extent)
    extent[:, 0, history.equations.index("BaO + TiO2 -> BaTiO3")] = 1
    extent[:, 1, history.equations.index("BaTiO3 + TiO2 -> BaTi2O5")] = 1
    assert fallback_share(replace(history, extent=extent)) == pytest.approx(8 / 13)
    assert fallback_share(replace(history, extent=0 * extent)) == 0
    assert fallback_share(replace(history, fallback=~history.fallback)) == pytest.approx(1 - fallback_share(history))


@pytest.mark.parametrize("stage", [None, 0, 1])
@pytest.mark.parametrize("with_gas", [False, True])
def test_flow_keeps_every_atom(history, carbonate, stage, with_gas):
    run = carbonate if with_gas else history
    flow = reaction_flow(run, stage)
    nodes = flow.nodes
    balance = nodes.atoms_start_mol + nodes.atoms_in_mol - nodes.atoms_out_mol - nodes.atoms_end_mol
    # A frame at the seam of two steps belongs to one of them: its change is the only slack.
    slack = 1e-9 if stage is None else 0.02
    np.testing.assert_allclose(balance, 0, atol=slack)
    assert flow.links.atoms_mol.min() > 0
    assert flow.links.groupby("target").atoms_mol.sum().sum() == pytest.approx(nodes.atoms_out_mol.sum())
    assert flow.reactions.share.sum() == pytest.approx(1)


def test_flow_has_no_loops(history, carbonate):
    for run in (history, carbonate):
        remaining = reaction_flow(run).links
        while len(remaining):
            ends = ~remaining.target.isin(remaining.source)
            assert ends.any(), "every link leads on: there is a loop"
            remaining = remaining[~ends]


def test_flow_takes_a_reaction_and_its_reverse_together(history):
    forward = history.equations.index("Ba2TiO4 + TiO2 -> 2 BaTiO3")
    back = history.equations.index("2 BaTiO3 -> Ba2TiO4 + TiO2")
    extent = np.zeros_like(history.extent)
    extent[:, 0, forward], extent[:, 0, back] = 0.25, 0.75
    flow = reaction_flow(replace(history, extent=extent), stage=0)
    assert flow.reactions.equation.tolist() == ["2 BaTiO3 -> Ba2TiO4 + TiO2"]
    assert flow.reactions.extent_mol[0] == pytest.approx(0.5)
    assert flow.reactions.atoms_mol[0] == pytest.approx(0.5 * 10)
    links = flow.links.set_index(["source", "target"]).atoms_mol
    assert links["BaTiO3", "Ba2TiO4"] == pytest.approx(0.5 * 7)
    assert links["BaTiO3", "TiO2"] == pytest.approx(0.5 * 3)


def test_flow_sends_the_oxygen_of_the_gas_with_its_carbon(carbonate):
    extent = np.zeros_like(carbonate.extent)
    extent[:, 0, carbonate.equations.index("BaCO3 + TiO2 -> BaTiO3 + CO2")] = 1
    links = reaction_flow(replace(carbonate, extent=extent), stage=0).links.set_index(["source", "target"]).atoms_mol
    assert links.to_dict() == pytest.approx(
        {("BaCO3", "CO2"): 3, ("TiO2", "BaTiO3"): 3, ("BaCO3", "BaTiO3"): 2}, abs=1e-9
    )


def test_flow_of_many_reactions_is_quick_and_keeps_atoms(history):
    # An ensemble over drawn energies joins to thousands of channels.
    rng = np.random.default_rng(0)
    copies = 3000
    wide = {
        name: np.tile(getattr(history, name), (copies, 1))
        for name in ("reactants", "reactant_coefficients", "products", "product_coefficients", "gas_coefficients")
    }
    scale = np.repeat(rng.integers(1, 9, copies), len(history.equations))[:, None]
    wide["reactant_coefficients"] = wide["reactant_coefficients"] * scale
    wide["product_coefficients"] = wide["product_coefficients"] * scale
    share = rng.dirichlet(np.ones(copies))
    extent = (history.extent[:, :, None, :] * share[:, None]).reshape(4, 2, -1) / scale[:, 0]
    many = replace(
        history, extent=extent, equations=history.equations * copies, fallback=np.tile(history.fallback, copies), **wide
    )
    start = perf_counter()
    flow = reaction_flow(many)
    assert perf_counter() - start < 5
    expected = reaction_flow(history)
    assert len(flow.reactions) == len(expected.reactions)  # multiples and reverses are the same reaction
    np.testing.assert_allclose(flow.reactions.atoms_mol, expected.reactions.atoms_mol, rtol=1e-9)
    np.testing.assert_allclose(flow.links.atoms_mol, expected.links.atoms_mol, rtol=1e-6)


def test_flow_names_roles_and_refuses_a_step_that_is_not_there(carbonate):
    roles = reaction_flow(carbonate).nodes.set_index("name").role
    assert roles.to_dict() == {
        "BaCO3": "reactant",
        "TiO2": "reactant",
        "BaO": "intermediate",
        "BaTiO3": "product",
        "Ba2TiO4": "intermediate",
        "BaTi2O5": "intermediate",
        "CO2": "gas",
    }
    with pytest.raises(ResultError, match="stage 2 does not exist; this run has steps 0 to 1"):
        reaction_flow(carbonate, 2)


def test_flow_of_a_run_in_which_nothing_happened(history):
    still = replace(
        history, extent=0 * history.extent, moles=np.repeat(history.moles[:, :1], history.lattice.sweep.size, axis=1)
    )
    flow = reaction_flow(still)
    assert flow.links.empty
    assert flow.reactions.empty
    assert flow.nodes.name.tolist() == ["BaO", "TiO2"]


def test_a_flow_shows_itself_in_one_line(history):
    flow = reaction_flow(history, stage=0)
    assert repr(flow) == f"ReactionFlow(step 1: {len(flow.reactions)} reactions, {len(flow.links)} links)"
    assert flow.table() is flow.reactions
    assert flow._repr_html_().count("<tr") == 1 + len(flow.reactions)


def test_a_run_without_reactions_is_refused():
    run = History.example("reactive-diffusion")
    for function in (reaction_flow, fallback_share):
        with pytest.raises(ResultError, match="no reaction channels; see its layers and bottlenecks"):
            function(run)
