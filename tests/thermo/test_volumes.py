import math

from own_energies import HEADER, write
from tammann.thermo.csv_table import read_csv


def test_a_wrong_volume_is_noticed(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "BaO,-2.82,21.2,2286,\nTiO2,-3.49,17.1,2130,\n"))
    assert any("TiO2" in w and "rutile" in w for w in phases.warnings)
    pairs = [(a, b) for a in range(1, 4) for b in range(1, 4) if math.gcd(a, b) == 1]
    volume = dict.fromkeys(pairs, 9.0) | {(2, 3): 16.0}
    rows = "".join(f"Mg{a}Al{2 * b}O{a + 3 * b},-3.3,{volume[a, b]},2300,\n" for a, b in pairs)
    phases = read_csv(write(tmp_path, HEADER + rows))
    assert [w.split(":")[0] for w in phases.warnings if "A3/atom" in w] == ["Mg2Al6O11"]
