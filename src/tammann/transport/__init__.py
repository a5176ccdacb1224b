"""Transport coefficients: how fast the ions of a phase move when their chemical potentials differ.

From a trajectory to coefficients: `displacement_correlations`, `find_regime`, `measure_onsager`; what follows from
them: `ionic_conductivity`, `ion_conduction`, `planar_diffusion`, `correct_finite_size`, `fit_arrhenius`; from stresses:
`shear_viscosity`; tables, measured or published: `TransportTable`.
"""

from tammann.transport.arrhenius import ArrheniusFit, arrhenius_weights, fit_arrhenius, interpolate_arrhenius
from tammann.transport.conductivity import Conductivity, charges_from_composition, ionic_conductivity
from tammann.transport.correlation_files import load_correlations, save_correlations
from tammann.transport.correlations import Correlations, correlations_of_stretches, displacement_correlations, in_frame
from tammann.transport.finite_size import FiniteSizeCorrection, correct_finite_size
from tammann.transport.ion_conduction import Extrapolation, IonConduction, ion_conduction
from tammann.transport.measure import block_errors, measure_onsager
from tammann.transport.measurement import OnsagerMeasurement, fit_activation
from tammann.transport.onsager import OnsagerCoefficients, nearest_positive_semidefinite, species_masses
from tammann.transport.planar import PlanarDiffusion, planar_diffusion
from tammann.transport.record import load_measurements, measurement_record, save_measurements, transport_table
from tammann.transport.regime import find_regime, log_log_slope, natural_frame
from tammann.transport.slope_fit import lag_covariance, slope_weights, spread_lags
from tammann.transport.table import TransportTable, draw_transport, load_transport, save_transport
from tammann.transport.viscosity import shear_viscosity

__all__ = [
    "ArrheniusFit",
    "Conductivity",
    "Correlations",
    "Extrapolation",
    "FiniteSizeCorrection",
    "IonConduction",
    "OnsagerCoefficients",
    "OnsagerMeasurement",
    "PlanarDiffusion",
    "TransportTable",
    "arrhenius_weights",
    "block_errors",
    "charges_from_composition",
    "correct_finite_size",
    "correlations_of_stretches",
    "displacement_correlations",
    "draw_transport",
    "find_regime",
    "fit_activation",
    "fit_arrhenius",
    "in_frame",
    "interpolate_arrhenius",
    "ion_conduction",
    "ionic_conductivity",
    "lag_covariance",
    "load_correlations",
    "load_measurements",
    "load_transport",
    "log_log_slope",
    "measure_onsager",
    "measurement_record",
    "natural_frame",
    "nearest_positive_semidefinite",
    "planar_diffusion",
    "save_correlations",
    "save_measurements",
    "save_transport",
    "shear_viscosity",
    "slope_weights",
    "species_masses",
    "spread_lags",
    "transport_table",
]
