"""``packit-worker config``."""

from __future__ import annotations

from pathlib import Path

import click

from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import settings
from packit_worker.cli.printing import visible
from packit_worker.config.package import PackageConfigError, load
from packit_worker.config.service import ServiceConfigError


@click.group("config")
def config() -> None:
    """Configurations: of the service, and of projects.

    \b
    Examples:
      packit-worker --config service.yaml config check
      packit-worker config check .packit.yaml
    """


@config.command("check")
@click.argument(
    "package_config", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--serving", is_flag=True, help="Ask for what the web door needs as well.")
@click.pass_context
def check(context: click.Context, package_config: Path | None, serving: bool) -> None:
    """Say what is wrong with a configuration, and where. Nobody is asked, nothing is opened.

    With a PACKAGE_CONFIG (.packit.yaml) that of a project is checked, else the service's own, with its secrets' files
    and the environment.

    \b
    Examples:
      packit-worker --config service.yaml config check --serving
      packit-worker config check .packit.yaml
    """
    if package_config is not None:
        _check_package(package_config)
        return
    made = settings(context)
    if serving:
        try:
            made.check_for_serving()
        except ServiceConfigError as error:
            raise Trouble(str(error), next_step="Add what is missing.") from None
    click.echo(f"the configuration can be used: {made.deployment}, {made.server_url}")


def _check_package(path: Path) -> None:
    specs = sorted(each.name for each in path.absolute().parent.glob("*.spec"))
    try:
        made = load(
            path.read_text(errors="replace"),
            path=path.name,
            repo_name=path.absolute().parent.name,
            spec_files=specs,
        )
    except PackageConfigError as error:
        raise Trouble(visible(str(error)), next_step=f"Correct {path}.") from None
    jobs = [f"{job.type}@{job.trigger}" for job in made.views()]
    click.echo(visible(f"{path.name} can be used: {', '.join(jobs) or 'no jobs'}"))
