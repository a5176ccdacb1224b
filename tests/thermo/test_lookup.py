import math

from tammann.thermo.estimates import estimated_melting_point, estimated_volume
from tammann.thermo.lookup import find_melting_point, find_volume


def test_measured_values_come_first():
    assert find_melting_point({"Ba": 1, "O": 1}, -2.8, 21.0)[0] == 2286.0
    value, source = find_melting_point({"Na": 1, "Cl": 1}, -2.1, 22.4)
    assert abs(value - 1073.8) < 1.0 and source.startswith("measured")
    assert find_volume({"Ti": 2, "O": 4}) == find_volume({"Ti": 1, "O": 2})


def test_what_nobody_measured_is_estimated():
    odd = {"Sr": 7, "Ti": 5, "O": 17}
    assert find_volume(odd) == (estimated_volume(odd).value, estimated_volume(odd).source)
    value, source = find_melting_point(odd, -3.4, 13.0)
    assert value == estimated_melting_point(odd, -3.4, 13.0).value and source.startswith("estimated")


def test_an_unknown_element_melts_nowhere():
    assert math.isnan(find_melting_point({"Fr": 1}, 0.0, 50.0)[0])
    assert math.isnan(find_melting_point({"Fr": 1, "Cl": 1}, -2.0, 50.0)[0])
