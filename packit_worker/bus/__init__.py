"""Fedora Messaging: the door that its messages come in by, what is asked for, and what was missed.

The callback has its name here: ``callback = "packit_worker.bus:Consumer"`` in fedora-messaging's configuration.
"""

from packit_worker.bus.consumer import SOURCE, Consumer

__all__ = ["SOURCE", "Consumer"]
