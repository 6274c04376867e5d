"""The broker between processes: Celery's application, hints, and a Redis of our own where there is none.

It only wakes workers (see ``hints``): what has to be done stands in the journal.
"""
