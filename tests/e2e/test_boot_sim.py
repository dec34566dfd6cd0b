"""mue-boot-sim on its own: what it boots, what it refuses and why, and that it leaves nothing behind."""
import os
import re
import signal
import subprocess
import time

import pytest

from agent_rig import BOOT_SIM, Product, Release


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    return Product(tmp_path_factory.mktemp("boot-sim"), bulk=20_000)


@pytest.fixture(scope="module")
def releases(product):
    """name -> release: images that differ in their text, made once."""
    one, two = product.image("one"), product.image("two")
    return {
        "one": Release(product, "1", 1, one, counter=1),
        "two": Release(product, "2", 2, two, counter=2),
        "old": Release(product, "0", 9, two, counter=0),
        "stranger": Release(product, "3", 3, two, key="stranger", counter=3),
        "no squashfs": Release(product, "4", 4, b"this is not a file system" * 100, counter=4),
    }


class Machine:
    def __init__(self, folder, product):
        self.folder, self.product = folder, product
        self.agent = folder / "agent.sh"
        self.says("exit 9")
        (folder / "env").mkdir()

    def says(self, script):
        self.agent.write_text(f"#!/bin/sh\necho agent $MUE_BOOT_SLOT $MUE_BOOT_REASON >>{self.folder}/said\n{script}\n")
        self.agent.chmod(0o755)

    def put(self, slot, release, damage=None):
        image = bytearray(release.image)
        if damage is not None:
            image[damage] ^= 1
        (self.folder / f"{slot}.img").write_bytes(bytes(image) + b"\xff" * 5000)  # a slot is larger than its image
        (self.folder / "env" / f"{slot}.suit").write_bytes(release.envelope.read_bytes())

    def start(self, *options):
        f = self.folder
        return subprocess.Popen(
            [BOOT_SIM, "--state", f / "state", "--slot-a", f / "a.img", "--slot-b", f / "b.img", "--envelopes",
             f / "env", "--trust", self.product.trust, "--root", f / "root", *options, "--", self.agent],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *options):
        p = self.start(*options)
        out, err = p.communicate(timeout=60)
        # The image's init speaks on the same terminal.
        return p.returncode, "".join(l + "\n" for l in out.splitlines() if l.startswith("boot ")), err


@pytest.fixture
def machine(tmp_path, product):
    return Machine(tmp_path, product)


def test_boots_what_is_signed(machine, releases):
    machine.put("a", releases["one"])
    code, out, err = machine.run()
    assert (code, out) == (9, "boot slot=a seq=1 reason=fresh tries=0\n"), err
    assert (machine.folder / "said").read_text() == "agent a fresh\n"
    assert (machine.folder / "root/system/init").exists()


@pytest.mark.parametrize("what,release,damage,verdict", [
    ("a flipped bit in the image", "one", 1000, "MUE_EDIGEST"),
    ("a flipped bit in its last byte", "one", -1, "MUE_EDIGEST"),
    ("a key nobody trusts", "stranger", None, "MUE_ESIGNATURE"),
    ("not a squashfs", "no squashfs", None, "MUE_EFORMAT"),
])
def test_falls_back_and_says_why(machine, releases, what, release, damage, verdict):
    machine.put("a", releases[release], damage)
    machine.put("b", releases["two"])
    code, out, err = machine.run()
    assert code == 9, err
    assert out == "boot slot=b seq=2 reason=refused tries=0\n"
    if verdict != "MUE_EFORMAT":  # the unpacker's refusal has its own sentence
        assert f"boot.refused slot=a verdict={verdict}" in err
    # It stays with B, and says the same next time.
    assert machine.run()[1] == out


def test_nothing_boots(machine, releases):
    machine.put("a", releases["stranger"])
    code, out, err = machine.run()
    assert code == 3 and out == "boot slot=recovery seq=0 reason=recovery tries=0\n"
    assert "remedy" in err
    # A good image in either slot brings it back.
    machine.put("b", releases["two"])
    code, out, _ = machine.run()
    assert code == 9 and "slot=b" in out


def test_reboots_on_75_and_fast(machine, releases):
    machine.put("a", releases["one"])
    machine.says(f'[ "$(wc -l <{machine.folder}/said)" -ge 20 ] || exit 75; exit 0')
    began = time.monotonic()
    code, out, err = machine.run()
    each = (time.monotonic() - began) / 20
    assert code == 0, err
    assert out.count("boot slot=a") == 20
    print(f"FIGURE mue-boot-sim: {each * 1000:.0f} ms a boot, verified and unpacked")
    assert each < 1


def test_once(machine, releases):
    machine.put("a", releases["one"])
    machine.says("exit 75")
    code, out, _ = machine.run("--once")
    assert code == 75 and out.count("boot ") == 1


def test_a_killed_agent_is_started_again_without_a_boot(machine, releases):
    machine.put("a", releases["one"])
    machine.says(f'[ "$(wc -l <{machine.folder}/said)" -ge 3 ] && exit 0; kill -9 $$')
    code, out, err = machine.run()
    assert code == 0 and out.count("boot ") == 1
    assert err.count("boot.agent_killed") == 2


def test_an_agent_that_asks_for_it_is_started_again_without_a_boot(machine, releases):
    machine.put("a", releases["one"])
    machine.says(f'[ "$(wc -l <{machine.folder}/said)" -ge 6 ] && exit 0; exit 70')
    began = time.monotonic()
    code, out, err = machine.run()
    assert code == 0 and out.count("boot ") == 1, err
    assert (machine.folder / "said").read_text() == "agent a fresh\n" * 6
    # The pause doubles: an agent that cannot go on does not burn the machine's time.
    assert [int(n) for n in re.findall(r"boot\.agent_restart pause_ms=(\d+)", err)] == [20, 40, 80, 160, 320]
    assert time.monotonic() - began >= 0.62


def test_sigterm_ends_the_pause_before_a_restart(machine, releases):
    machine.put("a", releases["one"])
    machine.says("exit 70")
    p = machine.start()
    while not (machine.folder / "said").exists() or len((machine.folder / "said").read_text().splitlines()) < 3:
        assert p.poll() is None
        time.sleep(0.01)
    p.send_signal(signal.SIGTERM)
    assert p.wait(10) == 0
    p.communicate()


def test_once_ends_with_70(machine, releases):
    machine.put("a", releases["one"])
    machine.says("exit 70")
    code, out, _ = machine.run("--once")
    assert code == 70 and out.count("boot ") == 1
    assert (machine.folder / "said").read_text() == "agent a fresh\n"


def test_sigterm_leaves_nothing(machine, releases, product):
    machine.put("a", releases["one"])
    # The agent has a child that ignores SIGTERM and one that left its process group.
    machine.says(f"trap '' TERM; setsid sleep 1000 & echo $! >{machine.folder}/pid; sleep 1000 & echo $! >>{machine.folder}/pid; wait")
    p = machine.start()
    while not (machine.folder / "pid").exists() or len((machine.folder / "pid").read_text().split()) < 2:
        assert p.poll() is None
        time.sleep(0.02)
    p.send_signal(signal.SIGTERM)
    assert p.wait(10) == 0
    p.communicate()
    for pid in (machine.folder / "pid").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_usage(machine):
    code, out, err = (lambda r: (r.returncode, r.stdout, r.stderr))(
        subprocess.run([BOOT_SIM, "--state", "x"], capture_output=True, text=True))
    assert code == 2 and "--help" in err
    out = subprocess.run([BOOT_SIM, "--help"], capture_output=True, text=True, check=True).stdout
    for option in ("--state", "--slot-a", "--envelopes", "--trust", "--root", "--once"):
        assert re.search(rf"^  {option} ", out, re.M)
