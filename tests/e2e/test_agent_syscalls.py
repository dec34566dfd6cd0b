"""The agent dies at its n-th durable operation, for every n until none is left: the loader boots a verified slot
and the update completes after each.  Deterministic where test_agent_kill.py is random."""
import os
import shutil
import subprocess

import pytest
from agent_rig import AGENT, Device, Product, wait_for
from agent_stub import Stub

CALLS = "fsync,fdatasync,rename,pwrite64,unlink"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_death_at_every_durable_operation(tmp_path):
    product = Product(tmp_path / "product", bulk=1_600_000)  # enough packets for many cuts
    first, second = product.release(), product.release()
    kills, n = 0, 0
    while True:
        n += 1
        stub = Stub()
        device = Device(None, product, f"device-{n}", first, server_url=stub.url, token="t")
        stub.deploy(7, second)
        # -f: the count is each process's own, so that both die at their n-th
        died = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e",
                               f"inject={CALLS}:signal=SIGKILL:when={n}", AGENT, "--config", device.config, "--once"],
                              env={**os.environ, "MUE_BOOT_SLOT": "a"}, capture_output=True, timeout=60)
        try:
            device.power_on()
            wait_for("the end of the update", lambda: stub.ends(7))
            assert stub.ends(7)[0] == ("success", "1.2 runs in slot b and is confirmed"), stub.feedback
            assert device.slots["b"].read_bytes()[:len(second.image)] == second.image
            assert device.boots[-1][:2] == ("b", "2")
        except AssertionError as e:
            raise AssertionError(f"death at operation {n}: {e}\n{device.text()[-3000:]}") from None
        finally:
            device.power_off()
            stub.stop()
        shutil.rmtree(device.folder)
        if died.returncode == 75:
            break
        kills += 1
    print(f"FIGURE agent: killed at each of {kills} durable operations, every update completed")
    assert kills >= 30
