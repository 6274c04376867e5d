"""The web door as a WSGI application: ``gunicorn 'packit_worker.web.wsgi:app'``. Refuses to start half configured."""

from __future__ import annotations

import sys

from flask import Flask

from packit_worker import logs, sentry, tracing
from packit_worker.config.service import ServiceConfigError, load_service_config
from packit_worker.web import create_app

#: Gunicorn's own word for "this application will never load": it stops instead of starting it again and again.
APP_LOAD_ERROR = 4


def serve() -> Flask:
    """The application of the settings in the environment. Ends the process with words when they are not enough."""
    try:
        settings = load_service_config()
        settings.check_for_serving()
    except ServiceConfigError as error:
        sys.stderr.write(f"packit-worker cannot serve: {error}\n")
        raise SystemExit(APP_LOAD_ERROR) from None
    logs.setup(settings.secrets())
    sentry.setup(settings)
    tracing.setup(settings.tracing, "web")
    return create_app(settings)


app = serve()
