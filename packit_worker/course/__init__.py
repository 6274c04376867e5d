"""The course of what came in, a module for each task: a delivery is read, its event processed, a check shown."""
