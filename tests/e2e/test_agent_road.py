"""mue-agent against the real server on simulated machines: the whole road, and what can go wrong on it."""
import os
import pathlib
import subprocess
import time

import pytest
from agent_rig import AGENT, Device, Product, Server, run, wait_for


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A product, a server, and its first releases."""
    folder = tmp_path_factory.mktemp("agent")
    class World:
        product = Product(folder / "product")
        server = Server(folder)
    w = World()
    w.server.api("POST", "/api/v1/trust", {"name": "release", "pem": (w.product.trust / "release.pub").read_text()})
    w.first = w.product.release()
    w.second = w.product.release().publish(w.server)
    yield w
    w.server.stop()


@pytest.fixture
def device(world, request):
    made = []

    def make(**config):
        world.devices = getattr(world, "devices", 0) + 1
        d = Device(world.server, world.product, f"device-{world.devices}", world.first, **config)
        made.append(d)
        return d
    yield make
    for d in made:
        d.power_off()


def test_an_update_is_installed_booted_and_confirmed(world, device):
    d = device()
    d.add_check("10-ok", "exit 0")
    d.power_on()
    action, (kind, text) = d.update(world.second)
    assert kind == "finished", text
    states = world.server.states(d.name, action)
    words = " | ".join(t for _, t in states)
    # success is the last word, and it came after the trial
    assert "rebooting for its trial" in words
    assert "is confirmed" in states[-1][1]
    assert d.slots["b"].read_bytes()[:len(world.second.image)] == world.second.image
    assert [b[0] for b in d.boots] == ["a", "b"]
    assert d.boots[1][2] == "trial"
    a = wait_for("attributes of the new release",
                 lambda: (lambda x: x if x.get("mue.version") == world.second.version else None)(
                     world.server.attributes(d.name)))
    assert a["mue.slot"] == "b" and a["mue.boot"] == "confirmed" and len(a["mue.manifest"]) == 64
