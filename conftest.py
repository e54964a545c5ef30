"""Takes the CDK's standard tests in, and leaves out those of them that have nothing to try here; starts every process as a user does."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest
from hypothesis import settings

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

IMAGE_TEST = "test_docker_image_build_and_spec"
"""The one image test that calls nobody; the others call Mailchimp, or Airbyte's registry, from inside the container."""

COMMANDS = {
    "test_check": "check",
    "test_config_matches_spec": "spec",
    "test_discover": "discover",
    "test_basic_read": "read",
    "test_fail_read_with_bad_catalog": "read",
}
"""The command that a standard test runs. It skips itself for scenarios that are not listed for that command."""


KEPT = frozenset({"PYTHONHOME", "PYTHONPATH"})
"""Variables of Python that say where it is, not how it behaves: https://docs.python.org/3/using/cmdline.html#environment-variables."""


def pytest_configure() -> None:
    """Let no process that a test starts inherit what this machine asks of Python, such as output without buffers."""
    for name in [name for name in os.environ if name.startswith("PYTHON") and name not in KEPT]:
        del os.environ[name]
    # How long an example takes depends on what else the machine does.
    settings.register_profile("no deadline", deadline=None)
    settings.load_profile("no deadline")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out standard tests with nothing to try; the image test says so where no container engine answers."""
    left_out = [item for item in items if _has_nothing_to_try(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    for item in items:
        if item.name == IMAGE_TEST and not _engine():
            item.add_marker(pytest.mark.skip(reason="no container engine answers; test_image.py follows the Dockerfile without one"))


def _has_nothing_to_try(item: pytest.Item) -> bool:
    if item.get_closest_marker("image_tests"):
        return item.name != IMAGE_TEST
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec") or "scenario" not in item.callspec.params:
        return False
    command = COMMANDS.get(item.originalname)
    return command is not None and not item.callspec.params["scenario"].runs(command)


@functools.cache
def _engine() -> bool:
    """Return whether a container engine answers, which is more than having its command."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0  # noqa: S603
