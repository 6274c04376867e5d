"""The four steps that every event takes, for real: ``steps`` has them, the other modules what they are made of."""
