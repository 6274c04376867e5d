"""The sandbox, driven by the real clients."""
