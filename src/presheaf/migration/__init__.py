"""Databases as set-valued functors: schemas, schema maps, instances with attributes, and moving data along a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.migration.bridge import functor_of, instance_of
    from presheaf.migration.frames import from_frames, to_frames
    from presheaf.migration.instance import Instance
    from presheaf.migration.map_toml import map_toml
    from presheaf.migration.morphism import InstanceMorphism
    from presheaf.migration.move_delta import delta
    from presheaf.migration.move_pi import pi
    from presheaf.migration.move_sigma import sigma
    from presheaf.migration.moved import Moved
    from presheaf.migration.schema import TYPES, Attribute, Schema, SchemaMap
    from presheaf.migration.schema_toml import Layout, schema_toml
    from presheaf.migration.stores import read_instance, read_map, read_schema, write_instance

_HOME = {
    "bridge": "functor_of instance_of",
    "frames": "from_frames to_frames",
    "instance": "Instance",
    "map_toml": "map_toml",
    "morphism": "InstanceMorphism",
    "move_delta": "delta",
    "move_pi": "pi",
    "move_sigma": "sigma",
    "moved": "Moved",
    "schema": "TYPES Attribute Schema SchemaMap",
    "schema_toml": "Layout schema_toml",
    "stores": "read_instance read_map read_schema write_instance",
}

__all__ = [
    "TYPES",
    "Attribute",
    "Instance",
    "InstanceMorphism",
    "Layout",
    "Moved",
    "Schema",
    "SchemaMap",
    "delta",
    "from_frames",
    "functor_of",
    "instance_of",
    "map_toml",
    "pi",
    "read_instance",
    "read_map",
    "read_schema",
    "schema_toml",
    "sigma",
    "to_frames",
    "write_instance",
]

lazy(__name__, {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()})
