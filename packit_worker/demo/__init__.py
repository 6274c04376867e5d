"""The demo: the whole service on an empty machine, against the sandbox, telling the story of its main job."""
