"""The worker: doors, the course of an event, handlers, and what they work with. The top storey."""
