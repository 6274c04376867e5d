"""Programs that run inside the jail, with its Python. They import the standard library alone, and nobody imports them.

Their text is handed to the jail; whatever they do, the code of a repository could do as well.
"""
