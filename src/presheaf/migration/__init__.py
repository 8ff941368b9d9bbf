"""Databases as set-valued functors: schemas, schema maps, instances with attributes, and moving data along a map."""
