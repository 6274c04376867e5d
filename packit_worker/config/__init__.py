"""Configuration: `service` is the operator's file, `package` the maintainer's.

Ground floor: any module of the worker may import either; `loading` and the other modules here are theirs alone.
"""
