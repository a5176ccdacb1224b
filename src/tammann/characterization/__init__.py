"""Structure of crystals, melts and glasses: g(r), bonds, coordination, angles; crystalline order, cavities.

Of mobile ions: their density, the sites they stay at, jumps between these, and the free energy of their ways.
"""

from tammann.characterization.angles import AngleDistribution, bond_angles
from tammann.characterization.bonds import bond_fractions, crystal_nn_coordination, neighbour_fractions
from tammann.characterization.comparison import (
    DistributionComparison,
    compare_distributions,
    compare_files,
    compare_folders,
    load_distribution,
    r_squared,
    save_distribution,
)
from tammann.characterization.coordination import (
    Coordination,
    CoordinationShell,
    coordination_numbers,
    coordination_shell,
)
from tammann.characterization.density import IonDensity, ion_density, mean_density
from tammann.characterization.density_files import write_density
from tammann.characterization.exafs import FirstShell, first_shell
from tammann.characterization.jumps import SiteJumps, find_jumps, join_jumps
from tammann.characterization.local_structure import LocalStructure, bonded_pairs, local_structure
from tammann.characterization.network import BondNetwork, bond_network, first_minimum_cutoffs
from tammann.characterization.order import bragg_noise, bragg_order, largest_cavity
from tammann.characterization.pathways import FreeEnergyPath, Threshold, lowest_path, percolation_thresholds
from tammann.characterization.percolation import percolation
from tammann.characterization.polyhedra import Connectivity, polyhedra_connectivity
from tammann.characterization.rdf import PairDistribution, pair_distribution
from tammann.characterization.rings import RingStatistics, ring_statistics
from tammann.characterization.sites import IonSites, find_sites

__all__ = [
    "AngleDistribution",
    "BondNetwork",
    "Connectivity",
    "Coordination",
    "CoordinationShell",
    "DistributionComparison",
    "FirstShell",
    "FreeEnergyPath",
    "IonDensity",
    "IonSites",
    "LocalStructure",
    "PairDistribution",
    "RingStatistics",
    "SiteJumps",
    "Threshold",
    "bond_angles",
    "bond_fractions",
    "bond_network",
    "bonded_pairs",
    "bragg_noise",
    "bragg_order",
    "compare_distributions",
    "compare_files",
    "compare_folders",
    "coordination_numbers",
    "coordination_shell",
    "crystal_nn_coordination",
    "find_jumps",
    "find_sites",
    "first_minimum_cutoffs",
    "first_shell",
    "ion_density",
    "largest_cavity",
    "load_distribution",
    "join_jumps",
    "local_structure",
    "lowest_path",
    "mean_density",
    "neighbour_fractions",
    "pair_distribution",
    "percolation",
    "percolation_thresholds",
    "polyhedra_connectivity",
    "r_squared",
    "ring_statistics",
    "save_distribution",
    "write_density",
]
