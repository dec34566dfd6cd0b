"""mue-agent against the real server on simulated machines: the whole road, and what can go wrong on it."""
import os
import pathlib
import tempfile
import time

import pytest
from agent_rig import AGENT, MUE, Device, Product, Server, run, wait_for


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


def test_a_failed_health_check_reverts_and_the_operator_reads_why(world, device):
    d = device()
    d.add_check("20-sensor", '[ "$MUE_BOOT_SLOT" = a ] && exit 0\necho no sensor on bus 1\nexit 3')
    d.power_on()
    action, (kind, text) = d.update(world.second)
    assert kind == "error" and "MUE_EHEALTH: health check 20-sensor: exit 3: no sensor on bus 1" in text
    assert [b[0] for b in d.boots] == ["a", "b", "a"]
    wait_for("attributes", lambda: world.server.attributes(d.name).get("mue.slot") == "a")
    # the old slot goes on taking updates: a release that works
    (d.health / "20-sensor").unlink()
    third = world.product.release().publish(world.server)
    action, (kind, text) = d.update(third)
    assert kind == "finished" and "is confirmed" in text


def test_an_image_that_dies_at_boot_falls_back_by_the_loader(world, device):
    """No agent ever speaks in the new slot: the loader counts its tries down, the old slot reports."""
    d = device(tries=2)
    tree = world.product.image("dies")
    broken = world.product.release(image=tree, name="dies").publish(world.server)
    d.add_check("00-crash", '[ "$MUE_BOOT_SLOT" = a ] || kill -9 $PPID')  # the agent dies before it can confirm
    d.power_on()
    action = world.server.assign(d.name, broken)
    wait_for("the first trial", lambda: len(d.boots) >= 2)
    while d.boots[-1][0] == "b":  # a machine that hangs is reset by its watchdog
        seen = len(d.boots)
        d.power_off()
        d.power_on()
        wait_for("the next boot", lambda: len(d.boots) > seen)
    kind, text = d.ended(action)
    assert kind == "error" and "slot b was given up" in text, text
    assert [b[0] for b in d.boots] == ["a", "b", "b", "a"]


def test_a_slot_that_rots_before_its_trial_is_refused_by_the_loader_and_said(world, device):
    d = device()
    action = world.server.assign(d.name, world.second)
    run(AGENT, "--config", d.config, "--once", env={"MUE_BOOT_SLOT": "a"}, rc=75)
    with open(d.slots["b"], "r+b") as f:
        f.seek(1000)
        f.write(b"rot")
    d.power_on()
    kind, text = d.ended(action)
    assert kind == "error" and "MUE_EDIGEST" in text and "slot b was given up" in text
    assert [b[0] for b in d.boots] == ["a"]


def test_download_only_fills_the_slot_and_no_more(world, device):
    d = device()
    d.power_on()
    action = world.server.assign(d.name, world.second, type="downloadonly")
    wait_for("the image in the slot",
             lambda: d.slots["b"].read_bytes()[:len(world.second.image)] == world.second.image)
    wait_for("the report", lambda: any(s[0] == "downloaded" for s in world.server.states(d.name, action)))
    time.sleep(1.5)
    assert len(d.boots) == 1


def test_a_cancel_before_the_install(world, device):
    level = world.product.folder / "battery"
    level.write_text("3\n")
    d = device(battery=level, battery_min=20)
    d.power_on()
    action = world.server.assign(d.name, world.second)
    wait_for("the reason", lambda: any("MUE_EBATTERY" in t for _, t in world.server.states(d.name, action)))
    world.server.api("DELETE", f"/rest/v1/targets/{d.name}/actions/{action}")
    kind, text = d.ended(action)
    assert kind == "canceled", world.server.states(d.name, action)
    level.write_text("90\n")
    time.sleep(1.5)
    assert len(d.boots) == 1 and d.slots["b"].stat().st_size == 0


def test_a_target_token_instead_of_a_certificate(world, device):
    d = device()
    token = world.server.api("GET", f"/rest/v1/targets/{d.name}")["securityToken"]
    lines = [x for x in d.config.read_text().splitlines() if not x.startswith(("cert ", "key "))]
    d.config.write_text("\n".join(lines + [f"token = {token}"]) + "\n")
    d.power_on()
    action, (kind, text) = d.update(world.second)
    assert kind == "finished", text


def test_a_wrong_token_is_refused_and_nothing_is_installed(world, device):
    d = device()
    lines = [x for x in d.config.read_text().splitlines() if not x.startswith(("cert ", "key "))]
    d.config.write_text("\n".join(lines + ["token = 00000000000000000000000000000000"]) + "\n")
    d.power_on()
    world.server.assign(d.name, world.second)
    wait_for("the refusal", lambda: "MUE_EAUTH" in d.text())
    assert d.slots["b"].stat().st_size == 0


def test_a_server_of_another_ca_is_not_believed(world, device):
    d = device()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=ca",
        "-keyout", d.folder / "x.key", "-out", d.folder / "x.crt", "-days", "2")
    text = d.config.read_text()
    d.config.write_text(text.replace(str(d.folder / "id" / "ca.crt"), str(d.folder / "x.crt")))
    d.power_on()
    wait_for("the refusal", lambda: "MUE_EAUTH" in d.text())


def test_the_key_lives_in_a_token(world, device):
    """The TLS client key is in SoftHSM; the unprivileged fetch process uses it, no file has it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mue-token-"))
    try:
        folder.chmod(0o755)
        (folder / "tokens").mkdir()
        conf = folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        env = {"SOFTHSM2_CONF": str(conf)}
        run("softhsm2-util", "--init-token", "--free", "--label", "device", "--pin", "1234", "--so-pin", "5678",
            env=env)
        uri = "pkcs11:token=device;object=tls?pin-value=1234"
        d = device(keystore=folder / "tokens")
        (d.folder / "id" / "device.key").unlink()
        run(MUE, "enroll", d.name, "-o", d.folder / "id", "--key", uri, env={**world.server.env, **env})
        text = d.config.read_text().replace(str(d.folder / "id" / "device.key"), uri)
        d.config.write_text(text)
        run("chmod", "-R", "a+rwX", folder / "tokens")
        d.power_on(env=env)
        action, (kind, why) = d.update(world.second)
        assert kind == "finished", why
    finally:
        run("rm", "-r", folder)


def test_the_processes_are_confined(world, device):
    d = device()
    d.power_on()
    wait_for("both processes", lambda: len(d.agent_pids()) == 2)
    wait_for("a poll", lambda: world.server.attributes(d.name).get("mue.slot"))
    install, fetch = ({k: v.strip() for k, v in (x.split(":", 1) for x in
                       pathlib.Path(f"/proc/{p}/status").read_text().splitlines())} for p in d.agent_pids())
    assert install["Seccomp"] == fetch["Seccomp"] == "2"
    assert install["NoNewPrivs"] == fetch["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert fetch["Uid"].split()[0] != "0" and fetch["CapEff"] == "0" * 16
        ours = os.readlink("/proc/self/ns/net")
        nets = [os.readlink(f"/proc/{p}/ns/net") for p in d.agent_pids()]
        assert nets[0] != ours and nets[1] == ours
