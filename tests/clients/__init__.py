"""The clients, each against the sandbox over real HTTP."""
