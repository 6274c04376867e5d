"""Chaos: the real service is killed, stopped and frozen at work, and judged from outside by what it promises.

``script`` says what happens when, from a seed; ``feeding`` lets it happen outside, ``striking`` to the service;
``gathering`` reads what can be seen, ``judging`` says which promises it breaks. Used by ``packit-worker chaos``.
"""
