"""mue-agent against a server and a network that misbehave: bounded retries, resume, honest reports."""
import time

import pytest
from agent_rig import Device, Product, run, wait_for
from agent_stub import Stub




@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    for parent in [folder, *folder.parents[:2]]:
        parent.chmod(0o755)
    p = Product(folder / "product")
    p.folder.chmod(0o755)
    p.first, p.second = p.release(), p.release()
    return p


@pytest.fixture
def stub():
    s = Stub()
    yield s
    s.stop()


@pytest.fixture
def device(product, stub, request):
    made = []

    def make(**config):
        name = f"{request.node.name[5:45]}".replace("[", "-").replace("]", "")
        d = Device(None, product, f"{name}-{len(made)}", product.first, server_url=stub.url, token="secret", **config)
        made.append(d)
        return d
    yield make
    for d in made:
        d.power_off()


def end_of(stub, action, device=None, seconds=20):
    try:
        return wait_for(f"the end of action {action}", lambda: stub.ends(action), seconds)[0]
    except AssertionError as e:
        raise AssertionError(f"{e}\n{stub.feedback}\n{device.text()[-3000:] if device else ''}") from None


def test_an_update_with_the_quirks_of_other_servers(product, stub, device):
    stub.id_as_number = True
    stub.deploy(7, product.second)
    d = device()
    d.power_on()
    assert end_of(stub, 7, d) == ("success", f"{product.second.version} runs in slot b and is confirmed")
    assert wait_for("attributes", lambda: stub.attributes.get("mue.slot")) == "b"
    assert [b[0] for b in d.boots] == ["a", "b"]
