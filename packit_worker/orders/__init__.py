"""What is ordered outside for a job: builds in Copr and Koji, tests in Testing Farm. Pure: a client sends it."""
