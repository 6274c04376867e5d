"""Fuzzing guided by coverage, with atheris: ``make fuzz``. What the suite does with hypothesis, for longer."""
