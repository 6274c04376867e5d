"""What an event is about: its origin, the commit, the package configuration there, and what of its jobs is asked for.

``situation`` brings it together for planning, checks and handlers. Nothing here acts.
"""
