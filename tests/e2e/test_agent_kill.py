"""kill -9 of either process of the agent at random points: no slot is ever booted unverified, every update
completes after the restart, and every report arrives."""
import os
import pathlib
import random
import re
import time

from agent_rig import Device, Product, Server, wait_for

KILLS = int(os.environ.get("MUE_KILLS", "200"))
KILLS_AN_UPDATE = 8


def running(device):
    """Both processes are there.  The machine itself never ends: it starts the agent again."""
    assert device.machine.poll() is None, f"the machine ended: {device.machine.poll()}\n{device.text()[-3000:]}"
    return len(device.agent_pids()) == 2


def kill_once(device, dice):
    """Kills one process a random moment after the agent began; the machine starts the agent again."""
    try:
        wait_for("a running agent", lambda: running(device))
    except AssertionError as e:
        raise AssertionError(f"{e}\n{device.tree()}\n{device.text()[-2000:]}") from None
    time.sleep(dice.random() * 0.25)
    which = dice.randrange(2)
    pid = device.kill(which)
    if pid:
        wait_for("its end", lambda: not pathlib.Path(f"/proc/{pid}").exists())
    return pid != 0


def check_boots(device, releases, seen):
    """Every slot that was booted holds exactly a release that was signed for this device."""
    for slot, sequence, _ in device.boots[seen:]:
        release = releases[int(sequence)]
        content = device.slots[slot].read_bytes()[:len(release.image)]
        # a slot that was booted may have been overwritten since, by a later release only
        assert content == release.image or any(content[:4096] == r.image[:4096] for s, r in releases.items()
                                               if s > int(sequence)), f"slot {slot} held no release {sequence}"
    return len(device.boots)


def test_kill_either_process_at_random_points(tmp_path):
    dice = random.Random(20261122)
    product = Product(tmp_path / "product", bulk=8_000_000)
    server = Server(tmp_path, poll=1)
    server.api("POST", "/api/v1/trust", {"name": "release", "pem": (product.trust / "release.pub").read_text()})
    releases = {1: product.release()}
    device = Device(server, product, "victim", releases[1], slot_size=16 << 20, tries=200)
    kills, updates, resumed, seen, slots = 0, 0, 0, 0, "ab"
    try:
        while kills < KILLS:
            release = product.release().publish(server)
            releases[product.sequence] = release
            action = server.assign(device.name, release)
            if not device.machine:
                device.power_on()
            for _ in range(KILLS_AN_UPDATE):
                kills += kill_once(device, dice)
            kind, text = device.ended(action, 120)
            assert kind == "finished", text
            updates += 1
            slots = slots[::-1]
            assert device.slots[slots[0]].read_bytes()[:len(release.image)] == release.image
            assert device.boots[-1][:2] == (slots[0], str(product.sequence))
            seen = check_boots(device, releases, seen)
            texts = [t for _, t in server.states(device.name, action)]
            assert len(texts) < 100 and "is confirmed" in " ".join(texts)
            resumed += sum(bool(re.search(r"from [1-9][0-9]* on", t)) for t in texts)
    finally:
        device.power_off()
        server.stop()
    print(f"FIGURE agent kill test: {kills} kills, {updates} updates confirmed, {len(device.boots)} boots, all of a "
          f"verified slot, {resumed} downloads continued in the middle")
    assert kills >= KILLS and updates >= KILLS // KILLS_AN_UPDATE
