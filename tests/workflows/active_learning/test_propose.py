"""The runs of a round: as many as asked for, the same for the same seed, others in the next round."""

import numpy as np

from tammann.composition import composition_key
from tammann.structures.contacts import closest_contact
from tammann.workflows.active_learning import ActiveLearningPlan, propose
from tammann.workflows.active_learning.propose import initial_configurations

PLAN = ActiveLearningPlan(
    compositions=("BaTiO3", "Ba2TiO4"),
    crystals=("BaO", "TiO2-rutile"),
    proposals={"searches": 3, "melts": 2, "quenches": 1, "crystals": 1, "interfaces": 1},
    temperatures_K=(1500.0, 2000.0),
    picoseconds=20.0,
    crystal_picoseconds=2.0,
)


def test_every_kind_is_there_as_often_as_asked_for_under_a_name_of_its_own():
    tasks = propose(PLAN, 1)
    kinds = [task.kind for task in tasks]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "search": 6, "melt": 4, "quench": 2, "crystal": 2, "interface": 2,
    }  # fmt: skip
    assert len({task.name for task in tasks}) == len(tasks) and not any("/" in task.name for task in tasks)


def test_what_each_kind_does():
    first = {task.kind: task for task in propose(PLAN, 1)}
    assert first["search"].duration_ps == 0 and first["search"].relax_steps > 0
    assert first["search"].configuration.n_atoms <= 16
    assert first["melt"].temperature_K == 1500.0 and first["melt"].final_temperature_K is None
    assert first["quench"].final_temperature_K == 300.0 and first["quench"].duration_ps == 20.0
    assert first["crystal"].duration_ps == 2.0 and first["crystal"].temperature_K == 1000.0
    assert {task.temperature_K for task in propose(PLAN, 2) if task.kind == "melt"} == {2000.0}


def test_melts_have_their_composition_and_about_their_volume():
    melts = [task.configuration for task in propose(PLAN, 1) if task.kind == "melt"]
    assert {composition_key({s: m.symbols.count(s) for s in m.symbols}) for m in melts} == {
        composition_key("BaTiO3"), composition_key("Ba2TiO4"),
    }  # fmt: skip
    assert all(90 <= melt.n_atoms <= 110 and closest_contact(melt) > 1.5 for melt in melts)


def test_the_same_seed_and_round_give_the_same_and_others_do_not():
    def positions(plan, number):
        return [task.configuration.positions_A for task in propose(plan, number)]

    first, again, later = positions(PLAN, 1), positions(PLAN, 1), positions(PLAN, 2)
    other = positions(PLAN.model_copy(update={"seed": 2}), 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for changed in (later, other):
        assert not any(a.shape == b.shape and np.allclose(a, b) for a, b in zip(first, changed, strict=True))


def test_interfaces_meet_another_composition_every_round():
    partners = {task.name for number in (1, 2) for task in propose(PLAN, number) if "interface-BaO" in task.name}
    assert partners == {"interface-BaO-BaTiO3-1", "interface-BaO-Ba2TiO4-1"}


def test_initial_configurations_are_ten_of_each_under_names_of_their_own():
    found = initial_configurations(PLAN)
    assert len({name for name, _, _ in found}) == len(found) == 10 * (6 + 4 + 2 + 2)
    assert {kind for _, kind, _ in found} == {"search", "melt", "crystal", "interface"}
