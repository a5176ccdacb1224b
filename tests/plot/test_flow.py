"""Flow of atoms through reactions."""

from dataclasses import replace

import numpy as np
import pytest

from tammann.analysis import reaction_flow
from tammann.errors import ResultError
from tammann.history import History
from tammann.plot import (
    plot_reaction_flow,
)
from tammann.plot.flow import flow_columns


def test_flow_runs_from_left_to_right_and_nodes_have_their_size(history):
    flow = reaction_flow(history)
    nodes = flow.nodes.set_index("name")
    columns = flow_columns(nodes, flow.links)
    for link in flow.links.itertuples():
        assert columns[link.source] < columns[link.target]
    ax = plot_reaction_flow(flow)
    heights = sorted(patch.get_height() for patch in ax.patches if hasattr(patch, "get_height"))
    total = nodes.atoms_start_mol.sum()
    expected = sorted((nodes.atoms_start_mol + nodes.atoms_in_mol) / total)
    np.testing.assert_allclose(heights, expected)
    places = {}
    for patch in ax.patches:
        if hasattr(patch, "get_height"):
            places.setdefault(round(patch.get_x()), []).append((patch.get_y(), patch.get_y() + patch.get_height()))
    for column in places.values():
        column.sort()
        assert all(below[1] < above[0] for below, above in zip(column, column[1:], strict=False)), "nodes overlap"
    idle = replace(flow, links=flow.links.iloc[:0])
    assert plot_reaction_flow(idle).texts[0].get_text() == "nothing has reacted"


def test_a_run_without_reactions_is_refused():
    with pytest.raises(ResultError, match="no reaction channels; see its layers and bottlenecks"):
        plot_reaction_flow(History.example("reactive-diffusion"))
