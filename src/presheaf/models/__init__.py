"""Model sources: f with its kernel, one file per kind, one protocol, one contract."""

from presheaf.models.base import Model, ModelInfo, Role, Trace
from presheaf.models.contract import ContractError, check_model_source
from presheaf.models.named import NamedModel, is_installed
from presheaf.models.registry import load_model, named_models

__all__ = [
    "ContractError",
    "Model",
    "ModelInfo",
    "NamedModel",
    "Role",
    "Trace",
    "check_model_source",
    "is_installed",
    "load_model",
    "named_models",
]
