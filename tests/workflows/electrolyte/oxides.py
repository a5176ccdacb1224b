"""Oxides of lithium and sodium in the antifluorite structure, disordered, with rigid ions: small and fast."""

from pathlib import Path


def fcc_host(edge_A: float, *sites: str) -> str:
    """Return the CIF of a host in Fm-3m; of each site label, element, coordinates and occupancy."""
    return f"""data_host
_cell_length_a {edge_A}
_cell_length_b {edge_A}
_cell_length_c {edge_A}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{chr(10).join(sites)}
"""


HOST = fcc_host(4.8, "T Li 0.25 0.25 0.25 0.5", "T Na 0.25 0.25 0.25 0.5", "X O 0 0 0 1")
PLAN = """
host: host.cif
compositions: [{occupancies: {T: {Li: 0.5, Na: 0.5}}}, {name: lithia, occupancies: {T: {Li: 1.0}}}]
potential: pedone-2006
charges: {Li: 1, Na: 1, O: -2}
orderings: {keep: 2}
relaxation: {steps: 20, force_eV_per_A: 0.3}
temperatures_K: [1800, 2200]
dynamics: {hot_ps: 1.2, hot_drop_ps: 0.2, cold_ps: 1.2, cold_drop_ps: 0.2, timestep_fs: 1, frame_fs: 20}
conductivity_at_K: 1000
"""


def write_plan(folder: Path, **replaced: str) -> Path:
    """Write host and plan, some of whose lines are replaced by key, and return the plan."""
    (folder / "host.cif").write_text(HOST)
    lines = [line for line in PLAN.strip().splitlines() if line.partition(":")[0] not in replaced]
    file = folder / "plan.yaml"
    file.write_text("\n".join([*lines, *(f"{key}: {value}" for key, value in replaced.items() if value)]))
    return file
