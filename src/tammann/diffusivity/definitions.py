"""The 43 features of Zheng et al. and one more: names, units, formulas, sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SENDEK = "Sendek et al., Energy Environ. Sci. 2017, 10, 306, doi 10.1039/C6EE02697D"
ZHENG = "Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2"
LOCAL, COMPOSITION, CONDITION = "structure", "composition", "condition"
_UNITS = ("_g_per_mol", "_g_per_cm3", "_GPa", "_eV", "_A")


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: As in tables of this package.
        column: As in the published table, or empty where it is not there.
        unit: Empty where it has none.
        kind: ``structure``, ``composition`` (follows from the formula alone) or ``condition``.
        definition: What it is; L is the mobile ion, S the other atoms.
        source: Who defined it.
    """

    name: str
    column: str
    unit: str
    kind: str
    definition: str
    source: str


def _local(name: str, unit: str, definition: str, source: str = SENDEK, column: str | None = None) -> Feature:
    return Feature(name, name if column is None else column, unit, LOCAL, definition, source)


def without_ion(name: str) -> str:
    """Return the name of a mean over the other atoms from that over all atoms.

    Example:
        >>> without_ion("bulk_modulus_GPa"), without_ion("electronegativity")
        ('bulk_modulus_others_GPa', 'electronegativity_others')
    """
    unit = next((unit for unit in _UNITS if name.endswith(unit)), "")
    return f"{name.removesuffix(unit)}_others{unit}"


def _pair(name: str, columns: tuple[str, str], unit: str, definition: str) -> tuple[Feature, Feature]:
    return (
        Feature(name, columns[0], unit, COMPOSITION, f"{definition} over all atoms", ZHENG),
        Feature(without_ion(name), columns[1], unit, COMPOSITION, f"{definition} over the atoms of S", ZHENG),
    )


TEMPERATURE = Feature("temperature_K", "temperature", "K", CONDITION, "T; linear models take 1/(kB T) instead", ZHENG)

LOCAL_FEATURES = (
    _local("AAV", "Å³", "V/N, volume per atom"),
    _local("LBI", "", "mean over L of the mean |X_L - X_j| over its neighbours j, X the electronegativity"),
    _local("SDLI", "", "standard deviation of |X_L - X_j| over all bonds of L (published: with n - 1)"),
    _local("SBI", "", "mean |X_i - X_j| over all bonds of S, those to L among them"),
    _local("ENS", "", "mean electronegativity of the atoms of S"),
    _local("RBI", "", "LBI/SBI"),
    _local("AFC", "", "mean number of anions within (distance to the nearest + 1 Å) of an anion"),
    _local("AASD", "Å", "mean distance from an anion to the nearest other one"),
    _local("VPA", "Å³", "V/N_anion, volume per anion"),
    _local("LASD", "Å", "mean distance from L to the nearest anion"),
    _local("LLSD", "Å", "mean distance from L to the nearest other L"),
    _local("LNC", "", "mean number of neighbours of L"),
    _local("SDLC", "", "standard deviation of the number of neighbours over L"),
    _local("LLB", "", "mean number of L among the neighbours of L"),
    _local("SNC", "", "mean number of neighbours of S"),
    _local("RNC", "", "LNC/SNC"),
    _local("PF", "", "sum over all atoms of (4/3) pi r³, over V, r the covalent radius"),
    _local("SPF", "", "the same over S"),
    _local(
        "SLPW",
        "Å",
        "mean over L of min_k (d_k - r_k), d_k the distance of any other atom k from the straight line between L and "
        "the nearest other L, r_k its covalent radius",
    ),
    _local("SLPW_pp", "Å", "mean over L of min_k d_k"),
    _local("SLPE", "", "mean over L of the electronegativity of the atom k of SLPW"),
    _local("density_g_per_cm3", "g/cm³", "mass over volume", ZHENG, column=""),
)
COMPOSITION_FEATURES = (
    Feature("ion_fraction", "Li_percentage", "", COMPOSITION, "x_L, fraction of the atoms", ZHENG),
    *_pair("bulk_modulus_GPa", ("avg_B_with_Li", "avg_B_wiout_Li"), "GPa", "mean bulk modulus"),
    *_pair("shear_modulus_GPa", ("avg_G_with_Li", "avg_G_wiout_Li"), "GPa", "mean shear modulus"),
    *_pair("cohesive_energy_eV", ("avg_Ecoh_with_Li", "avg_Echo_wiout_Li"), "eV", "mean cohesive energy"),
    *_pair("root_BR5_M", ("BR5_M_with_Li", "BR5_M_without_Li"), "(GPa Å⁵ mol/g)^½", "sqrt(B R⁵/M) of means"),
    *_pair("root_GR5_M", ("GR5_M_with_Li", "GR5_M_without_Li"), "(GPa Å⁵ mol/g)^½", "sqrt(G R⁵/M) of means"),
    *_pair("root_ER2_M", ("ER2_m_with_Li", "ER2_m_without_Li"), "(eV Å² mol/g)^½", "sqrt(E_coh R²/M) of means"),
    *_pair("radius_A", ("atomic_radius_avg", "atomic_radius_avg_exclude_Li"), "Å", "mean atomic radius (Slater)"),
    Feature("radius_ratio", "ratio_r_without_Li_with", "", COMPOSITION, "radius_others_A/radius_A", ZHENG),
    *_pair("mass_g_per_mol", ("avg_m_with_Li", "avg_m_wiout_Li"), "g/mol", "mean molar mass"),
    *_pair("electronegativity", ("avg_X_with_Li", "avg_X_wiout_Li"), "", "mean electronegativity (Pauling)"),
    Feature(
        "electronegativity_difference",
        "avg_diff_of_X_Li_rest",
        "",
        COMPOSITION,
        "electronegativity_others - electronegativity",
        ZHENG,
    ),
)
FEATURES = (TEMPERATURE, *LOCAL_FEATURES, *COMPOSITION_FEATURES)
"""All features; those with a ``column`` are the 43 of the reference."""
NAMES = tuple(feature.name for feature in FEATURES)
PUBLISHED = tuple(feature.name for feature in FEATURES if feature.column)
"""Names of the 43 features of the reference."""
WITH_ANION = frozenset({"AFC", "AASD", "VPA", "LASD"})
"""Features that depend on which element is taken for the anion."""


def with_unit(name: str) -> str:
    """Return the name of a feature with its unit, as the head of a column; other names as they are.

    Example:
        >>> with_unit("LASD"), with_unit("density_g_per_cm3"), with_unit("LNC"), with_unit("formula")
        ('LASD (Å)', 'density (g/cm³)', 'LNC', 'formula')
    """
    unit = next((feature.unit for feature in FEATURES if feature.name == name), "")
    end = next((end for end in ("_K", *_UNITS) if name.endswith(end)), "")
    return f"{name.removesuffix(end)} ({unit})" if unit else name


def feature_definitions() -> pd.DataFrame:
    """Return one row a feature: name, published column, unit, kind, definition and source.

    Example:
        >>> table = feature_definitions().set_index("name")
        >>> table.loc["RNC", "definition"], int((table["column"] != "").sum())
        ('LNC/SNC', 43)
    """
    import pandas as pd

    return pd.DataFrame([vars(feature) for feature in FEATURES])
