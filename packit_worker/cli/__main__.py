"""``python -m packit_worker.cli``: the command line where its script is not on PATH."""

from packit_worker.cli import main

main(prog_name="packit-worker")
