"""Starts one stuntdouble for the whole run, also with several workers. Each test has its own key."""

import os

import pytest
from account import Account
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

PORT = 8080


def pytest_configure(config):
    # Workers of pytest-xdist inherit the variable. If it is set from outside, it names a running server.
    if "STUNTDOUBLE" in os.environ:
        return
    is_serving = HttpWaitStrategy(PORT, "/_mock/health").with_startup_timeout(30).with_poll_interval(0.1)
    container = DockerContainer("stuntdouble").with_exposed_ports(PORT).waiting_for(is_serving)
    config.add_cleanup(container.stop)
    container.start()
    host, port = container.get_container_host_ip(), container.get_exposed_port(PORT)
    os.environ["STUNTDOUBLE"] = f"http://{host}:{port}"


@pytest.fixture
def new_account():
    """Creates accounts, which are deleted after the test."""
    accounts = []

    def new():
        accounts.append(Account(os.environ["STUNTDOUBLE"]))
        return accounts[-1]

    yield new
    for account in accounts:
        account.delete()
