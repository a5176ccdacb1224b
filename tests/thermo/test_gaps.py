"""What is said to be missing."""

import math
from dataclasses import replace

from tammann.thermo import gaps, measured_phases


def test_a_complete_system_lacks_no_oxide():
    assert not [s for s in gaps.gaps_of(measured_phases(["Mg", "Al", "O"])) if "no table has a compound" in s]


def test_packages_that_would_bring_more_are_named(monkeypatch):
    monkeypatch.setattr(gaps, "freed_is_installed", lambda: False)
    monkeypatch.setattr(gaps, "handbook_is_installed", lambda: True)
    first = gaps.gaps_of(measured_phases(["Mg", "Al", "O"]))[0]
    assert "reaction-network" in first and "chemicals" not in first and "tammann[measured]" in first


def test_an_unknown_melting_point_is_named():
    phases = measured_phases(["Mg", "Al", "O"])
    unknown = replace(phases[0], melting_point_K=math.nan, melting_point_source="")
    said = gaps.gaps_of(replace(phases, phases=(unknown, *phases.phases[1:])))
    assert any(f"no melting point of {unknown.formula} is known" in sentence for sentence in said)
