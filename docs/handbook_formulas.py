"""Formulas of the compounds that the package ``chemicals`` lists by name and CAS number.

Its table of densities (CRC Handbook, facts; the package has the MIT licence) carries a molar volume, which gives the
molar mass that every formula is checked with: PubChem's formula where it fits, otherwise what the name spells.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import DataError

Counts = dict[str, int]
_ANIONS = """\
oxide O|sulfide S|selenide Se|telluride Te|nitride N|phosphide P|arsenide As|carbide C|silicide Si|boride B|hydride H
fluoride F|chloride Cl|bromide Br|iodide I|stannide Sn|antimonide Sb|hydroxide OH|peroxide O2|superoxide O2
carbonate CO3|nitrate NO3|nitrite NO2|sulfate SO4|sulfite SO3|phosphate PO4|pyrophosphate P2O7|diphosphate P2O7
metaphosphate PO3|chlorate ClO3|perchlorate ClO4|bromate BrO3|iodate IO3|chromate CrO4|dichromate Cr2O7
permanganate MnO4|molybdate MoO4|tungstate WO4|vanadate VO3|orthovanadate VO4|selenate SeO4|selenite SeO3
tellurate TeO4|tellurite TeO3|arsenate AsO4|arsenite AsO3|titanate TiO3|zirconate ZrO3|niobate NbO3|tantalate TaO3
stannate SnO3|aluminate AlO2|ferrite FeO2|metasilicate SiO3|orthosilicate SiO4|silicate SiO3|metaborate BO2
borate BO3|tetraborate B4O7|hexaboride B6|azide N3|cyanide CN|metatitanate TiO3|orthotitanate TiO4|thiosulfate S2O3"""
_SYMBOLS = """\
hydrogen H lithium Li beryllium Be boron B carbon C nitrogen N sodium Na magnesium Mg aluminum Al silicon Si
phosphorus P sulfur S potassium K calcium Ca scandium Sc titanium Ti vanadium V chromium Cr manganese Mn iron Fe
cobalt Co nickel Ni copper Cu zinc Zn gallium Ga germanium Ge arsenic As selenium Se bromine Br rubidium Rb
strontium Sr yttrium Y zirconium Zr niobium Nb molybdenum Mo technetium Tc ruthenium Ru rhodium Rh palladium Pd
silver Ag cadmium Cd indium In tin Sn antimony Sb tellurium Te iodine I xenon Xe cesium Cs barium Ba lanthanum La
cerium Ce praseodymium Pr neodymium Nd promethium Pm samarium Sm europium Eu gadolinium Gd terbium Tb dysprosium Dy
holmium Ho erbium Er thulium Tm ytterbium Yb lutetium Lu hafnium Hf tantalum Ta tungsten W rhenium Re osmium Os
iridium Ir platinum Pt gold Au mercury Hg thallium Tl lead Pb bismuth Bi thorium Th uranium U plutonium Pu"""
ANIONS = dict(entry.split() for line in _ANIONS.splitlines() for entry in line.split("|"))
SYMBOLS = dict(zip(_SYMBOLS.split()[::2], _SYMBOLS.split()[1::2], strict=True))
WATERS = {"": 1, "mono": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6, "hepta": 7, "octa": 8, "deca": 10}


def rows(name: str) -> list[dict[str, str]]:
    """Read a table of the package ``chemicals`` without importing it."""
    found = find_spec("chemicals")
    if found is None or found.origin is None:
        raise SystemExit("pip install chemicals==1.5.2, whose tables are read")
    text = (Path(found.origin).parent / name).read_text("utf-8")
    if name.endswith(".csv"):
        table = [line.split("\t" if "\t" in line else ",") for line in text.splitlines()]
        return [dict(zip(table[0], cells, strict=False)) for cells in table[1:]]
    reader = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader)
    return [dict(itertools.zip_longest(header, cells[: len(header)], fillvalue="")) for cells in reader]


def _pubchem() -> dict[str, str]:
    folder = Path(str(find_spec("chemicals").origin)).parent / "Identifiers"  # type: ignore[union-attr]
    found: dict[str, str] = {}
    for name in ("Inorganic db", "chemical identifiers pubchem small", "chemical identifiers pubchem large"):
        for line in (folder / f"{name}.tsv").open(encoding="utf-8"):
            _, cas, formula, _ = line.split("\t", 3)
            found.setdefault(cas, re.sub(r"[+-]\d*$", "", formula))
    return found


def molar_mass(counts: Counts) -> float:
    """Return g/mol."""
    return sum(atomic_masses()[e] * n for e, n in counts.items())


def _added(parts: list[tuple[Counts, int]]) -> Counts:
    total: Counts = {}
    for counts, times in parts:
        for e, n in counts.items():
            if times:
                total[e] = total.get(e, 0) + n * times
    return total


def spelled(name: str, mass_g_per_mol: float) -> Counts | None:
    """Return the formula of a name such as ``Bismuth(III) oxide`` that has the molar mass; None if there is none."""
    words = re.sub(r"\(.*?\)|\[.*?\]", "", name).lower().split()
    waters = 0
    if words and words[-1].endswith("hydrate"):
        waters = WATERS.get(words.pop().removesuffix("hydrate"), -1)
    if len(words) == 1 and words[0] in SYMBOLS:
        words.append("")
    cations = [SYMBOLS[word] for word in words[:-1] if word in SYMBOLS]
    if waters < 0 or not cations or len(cations) != len(words) - 1 or (words[-1] and words[-1] not in ANIONS):
        return None
    anion = parse_formula(ANIONS[words[-1]]) if words[-1] else {}
    fitting = []
    for numbers in itertools.product(range(1, 12 if anion else 2), repeat=len(cations) + 1):
        parts = [*(({e: 1}, n) for e, n in zip(cations, numbers, strict=False)), (anion, numbers[-1])]
        counts = _added([*parts, ({"H": 2, "O": 1}, waters)])
        if abs(molar_mass(counts) - mass_g_per_mol) < 0.02 + 1e-4 * mass_g_per_mol:
            fitting.append(counts)
    return min(fitting, key=lambda counts: sum(counts.values()), default=None)


def densities() -> Iterator[tuple[str, str, Counts, float]]:
    """Yield CAS number, name, formula and volume, Angstrom^3 per formula unit, of solids with a checked formula."""
    physical = {row["CAS"]: row for row in rows("Misc/Physical Constants of Inorganic Compounds.csv")}
    pubchem = _pubchem()
    for row in rows("Density/CRC Solid Inorganic Constant Densities.tsv"):
        cas, volume_m3_per_mol = row["CAS"], float(row["Vm"])
        density = physical.get(cas, {}).get("rho")
        if not density:
            continue
        mass = float(density) * volume_m3_per_mol * 1e3
        try:
            counts = parse_formula(pubchem.get(cas, ""))
        except DataError:
            counts = None
        if counts is None or abs(molar_mass(counts) - mass) > 0.06 + 5e-4 * mass:
            counts = spelled(row["Chemical"], mass)
        if counts is not None:
            yield cas, row["Chemical"], counts, volume_m3_per_mol * 1e30 / 6.02214076e23
