"""One module per system outside, each behind its protocol in ``packit_worker.ports``. Imported by ``services`` only."""
