"""Diffusivities learned from structures: features, models, honest validation, and what they are good for.

``structure_features`` turns a disordered structure into numbers, a ``DiffusivityTable`` holds these beside measured
diffusivities, ``train_model`` learns from it, ``cross_validate`` says how well on compositions that are new, and
``learned_transport`` makes a transport table of predictions, flagged as such.
"""

from tammann.diffusivity.activation import activation_energies, activation_errors
from tammann.diffusivity.composition_features import composition_features
from tammann.diffusivity.definitions import feature_definitions
from tammann.diffusivity.features import features_table, structure_features
from tammann.diffusivity.importance import permutation_importance
from tammann.diffusivity.model import DiffusivityModel, Prediction, load_model, train_model
from tammann.diffusivity.models import MODELS, make_model
from tammann.diffusivity.pooch import fetch_published
from tammann.diffusivity.published import published_protocol
from tammann.diffusivity.shap import shap_values
from tammann.diffusivity.symbolic import SymbolicRegression, best_laws
from tammann.diffusivity.table import DiffusivityTable, load_published, load_table
from tammann.diffusivity.transport import fill_transport, learned_transport
from tammann.diffusivity.validation import CrossValidation, cross_validate, nested_choice
from tammann.transport.learned import is_learned

__all__ = [
    "MODELS",
    "CrossValidation",
    "DiffusivityModel",
    "DiffusivityTable",
    "Prediction",
    "SymbolicRegression",
    "activation_energies",
    "activation_errors",
    "best_laws",
    "composition_features",
    "cross_validate",
    "feature_definitions",
    "features_table",
    "fetch_published",
    "fill_transport",
    "is_learned",
    "learned_transport",
    "load_model",
    "load_published",
    "load_table",
    "make_model",
    "nested_choice",
    "permutation_importance",
    "published_protocol",
    "shap_values",
    "structure_features",
    "train_model",
]
