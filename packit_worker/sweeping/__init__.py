"""What nobody tells and has to be looked for: lost hints, silent builds and tests, late checks, missed webhooks."""
