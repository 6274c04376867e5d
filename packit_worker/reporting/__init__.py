"""What users are told: the checks on a commit, comments, issues. ``texts`` holds every word."""
