"""mue-agent against a server and a network that misbehave: bounded retries, resume, honest reports."""
import os
import pathlib
import shutil
import tempfile
import time

import pytest
from agent_rig import AGENT, Device, Product, run, wait_for
from agent_stub import Stub




@pytest.fixture(scope="module")
def product(tmp_path_factory):
    p = Product(tmp_path_factory.mktemp("faults") / "product")
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
        product.devices = getattr(product, "devices", 0) + 1
        d = Device(None, product, f"device-{product.devices}", product.first, server_url=stub.url, token="secret", **config)
        made.append(d)
        return d
    yield make
    for d in made:
        d.power_off()


def end_of(stub, action, device=None, seconds=60):
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




def payload_of(release):
    return next(p.name for p in release.files.iterdir() if not p.name.endswith(".suit"))


@pytest.mark.parametrize("fault", [503, 500, 404])
def test_a_passing_error_is_retried(product, stub, device, fault):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [fault, fault]
    d = device()
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"
    assert len(stub.downloads()) == 3


@pytest.mark.parametrize("fault", [503, 404, 401])
def test_a_lasting_error_ends_in_a_report_and_not_in_a_loop(product, stub, device, fault):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [fault] * 1000
    d = device(retries=4)
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and f"HTTP {fault}" in text and "given up after 4 attempts" in text
    time.sleep(1.5)
    assert len(stub.downloads()) == 4
    assert len(d.boots) == 1


def test_retry_after_is_obeyed(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("retry-after", 2)]
    d = device()
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"
    first, second = [t for t, r in zip(stub.times, stub.requests) if r in stub.downloads()]
    assert second - first >= 2


def test_a_broken_line_continues_where_it_broke(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("cut", 200_000), ("cut", 100_000)]
    d = device()
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"
    ranges = [r[2] for r in stub.downloads()]
    assert ranges == [None, "bytes=200000-", "bytes=300000-"]


def test_a_server_that_ignores_range_is_refused(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("cut", 200_000)] + ["no-range"] * 20
    d = device(retries=3)
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and "ignored Range" in text


def test_a_flipped_byte_is_found_and_the_slot_is_not_booted(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = ["flip"]
    d = device()
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and text.startswith("MUE_EDIGEST: received")
    assert [b[0] for b in d.boots] == ["a"]
    # the next action starts from nothing and succeeds
    stub.deploy(8, product.second)
    assert end_of(stub, 8, d)[0] == "success"
    assert stub.downloads()[-1][2] is None


def test_an_artifact_that_is_too_long_is_refused(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = ["longer"]
    d = device()
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and "MUE_ESIZE" in text


def test_reports_survive_a_server_that_is_away(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("hold", 100_000)]
    d = device(health_timeout=30)
    d.power_on()
    wait_for("the download", stub.downloads)
    stub.down = True
    stub.go_on()
    wait_for("a trial of slot b", lambda: len(d.boots) == 2)
    time.sleep(0.5)
    assert not stub.ends(7)
    stub.down = False
    # "can reach the server" holds now: confirmed, and every report arrives in its order
    assert end_of(stub, 7, d)[0] == "success"
    texts = stub.texts(7)
    assert "downloading" in texts[0] and "rebooting for its trial" in texts[1]
    assert texts[2].endswith("booted in slot b, on trial") and "is confirmed" in texts[-1]


def test_links_with_the_name_of_a_proxy_lead_to_our_server(product, stub, device):
    stub.link_url = "http://inside.invalid:8080"
    stub.deploy(7, product.second)
    d = device()
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"


def test_an_image_that_cannot_reach_the_server_reverts(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("hold", 100_000)]
    d = device(health_timeout=1)
    d.power_on()
    wait_for("the download", stub.downloads)
    stub.down = True
    stub.go_on()
    wait_for("slot a again", lambda: [b[0] for b in d.boots] == ["a", "b", "a"])
    stub.down = False
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and "MUE_EHEALTH: cannot reach the server" in text and "slot b was given up" in text


def test_a_failed_health_check_reverts_and_says_why(product, stub, device):
    stub.deploy(7, product.second)
    d = device()
    d.add_check("10-fine", "exit 0")
    d.add_check("20-sensor", '[ "$MUE_BOOT_SLOT" = a ] && exit 0\necho no sensor on bus 1\nexit 3')
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure"
    assert "MUE_EHEALTH: health check 20-sensor: exit 3: no sensor on bus 1" in text
    assert "1.1 runs in slot a" in text
    assert [b[0] for b in d.boots] == ["a", "b", "a"]
    wait_for("the old version in the attributes", lambda: stub.attributes.get("mue.slot") == "a")


def test_a_cancel_during_the_download_is_obeyed(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("hold", 100_000)]
    d = device()
    d.power_on()
    wait_for("the download", stub.downloads)
    stub.cancel = (9, 7)
    wait_for("the answer to the cancel", lambda: [b for p, b in stub.feedback if p == "cancelAction/9/feedback"])
    assert [b["status"]["execution"] for p, b in stub.feedback if p == "cancelAction/9/feedback"] == ["closed"]
    assert not stub.ends(7) and [b[0] for b in d.boots] == ["a"]
    stub.go_on()
    stub.deploy(10, product.second)
    stub.faults.clear()
    assert end_of(stub, 10, d)[0] == "success"


def test_a_cancel_after_the_trial_was_requested_is_rejected(product, stub, device):
    stub.deploy(7, product.second)
    d = device(health_timeout=60)
    asked = d.folder / "asked"
    d.add_check("10-waits", f'[ "$MUE_BOOT_SLOT" = a ] && exit 0\nwhile [ ! -e {asked} ]; do sleep 0.05; done')
    d.power_on()
    wait_for("the trial", lambda: len(d.boots) == 2)
    stub.cancel = (9, 7)
    asked.touch()
    assert end_of(stub, 7, d)[0] == "success"
    wait_for("the answer to the cancel", lambda: [b for p, b in stub.feedback if p == "cancelAction/9/feedback"])
    assert [b["status"]["execution"] for p, b in stub.feedback if p == "cancelAction/9/feedback"] == ["rejected"]


def test_a_withdrawn_action_stops_the_download(product, stub, device):
    stub.deploy(7, product.second)
    stub.faults[payload_of(product.second)] = [("hold", 100_000)]
    d = device()
    d.power_on()
    wait_for("the download", stub.downloads)
    stub.action = None
    wait_for("the end of the download", lambda: "MUE_ECANCELLED" in d.text())
    stub.go_on()
    assert not stub.ends(7)


def test_download_only_waits_in_the_slot_until_the_update_is_allowed(product, stub, device):
    stub.deploy(7, product.second, update="skip")
    d = device()
    d.power_on()
    wait_for("the report", lambda: any(b["status"]["execution"] == "downloaded" for _, b in stub.feedback))
    time.sleep(1.5)
    assert len(stub.downloads()) == 1 and len(d.boots) == 1
    stub.deployment["update"] = "attempt"
    assert end_of(stub, 7, d)[0] == "success"
    assert len(stub.downloads()) == 1


def test_a_maintenance_window_is_waited_for_over_a_restart(product, stub, device):
    stub.deploy(7, product.second, maintenanceWindow="unavailable")
    d = device()
    d.power_on()
    wait_for("the report", lambda: any("maintenance window" in t for t in stub.texts(7)))
    d.power_off()
    stub.deployment["maintenanceWindow"] = "available"
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"
    assert len(stub.downloads()) == 1  # what was in the slot was found again


def test_download_skip_leaves_everything_alone(product, stub, device):
    stub.deploy(7, product.second, download="skip", update="skip")
    d = device()
    d.power_on()
    wait_for("two polls", lambda: len([r for r in stub.requests if "deploymentBase" in r[1]]) >= 2)
    assert not stub.downloads() and not stub.feedback


def test_the_device_is_asked_for_consent(product, stub, device):
    stub.deploy(7, product.second)
    stub.confirmation = True
    consent = pathlib.Path(f"/tmp/mue-consent-{os.getpid()}")  # where the unprivileged process can see it
    d = device(confirm=consent)
    d.power_on()
    wait_for("two polls", lambda: len([r for r in stub.requests if "confirmationBase" in r[1]]) >= 2)
    assert not stub.downloads() and not stub.feedback
    consent.write_text("yes")
    try:
        assert end_of(stub, 7, d)[0] == "success"
    finally:
        consent.unlink()
    assert stub.feedback[0][0] == "confirmationBase/7/feedback"
    assert stub.feedback[0][1]["confirmation"] == "confirmed"


def test_a_device_may_deny(product, stub, device):
    stub.deploy(7, product.second)
    stub.confirmation = True
    d = device(confirm="no")
    d.power_on()
    wait_for("the denial", lambda: stub.feedback)
    assert stub.feedback[0][1]["confirmation"] == "denied" and not stub.downloads()


def test_a_low_battery_waits_and_says_so_once(product, stub, device):
    level = product.folder / "capacity"
    level.write_text("12\n")
    stub.deploy(7, product.second)
    d = device(battery=level, battery_min=30)
    d.power_on()
    wait_for("the report", lambda: stub.texts(7))
    time.sleep(2.5)
    assert stub.texts(7) == ["waiting: MUE_EBATTERY: the battery has 12 %, 30 % are needed"]
    assert not stub.downloads()
    level.write_text("80\n")
    assert end_of(stub, 7, d)[0] == "success"


def test_a_link_that_may_not_carry_updates_waits(product, stub, device):
    link = product.folder / "link"
    link.write_text("cellular\n")
    stub.deploy(7, product.second)
    d = device(link=f"file:{link}", link_allowed="ethernet wifi")
    d.power_on()
    wait_for("the report", lambda: stub.texts(7))
    assert 'link "cellular" may carry no update' in stub.texts(7)[0] and not stub.downloads()
    link.write_text("wifi\n")
    assert end_of(stub, 7, d)[0] == "success"


@pytest.mark.parametrize("config,words", [({"slot_size": 100_000}, "MUE_ESIZE: the image has"),
                                          ({"disk_min": "900T"}, "MUE_ENOSPC")])
def test_what_does_not_fit_is_refused_before_the_download(product, stub, device, config, words):
    stub.deploy(7, product.second)
    d = device(**config)
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and words in text and not stub.downloads()


@pytest.mark.parametrize("how,words", [
    (dict(key="stranger"), "MUE_ESIGNATURE"),
    (dict(class_name="gw-2"), "MUE_ECLASS: made for class"),
    (dict(sequence=1), "MUE_EOLD: sequence 1 is not above the running 1"),
])
def test_what_is_not_for_this_device_is_refused_before_the_download(product, stub, device, how, words):
    stub.deploy(7, product.release(**how))
    d = device()
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and text.startswith(words), text
    assert not stub.downloads() and [b[0] for b in d.boots] == ["a"]
    assert d.slots["b"].stat().st_size == 0


def test_a_lower_security_counter_is_refused_after_a_confirm(product, stub, device):
    high = product.release(counter=5)
    low = product.release(counter=4)
    stub.deploy(7, high)
    d = device()
    d.power_on()
    assert end_of(stub, 7, d)[0] == "success"
    wait_for("the counter", lambda: stub.attributes.get("mue.counter") == "5")
    stub.deploy(8, low)
    finished, text = end_of(stub, 8, d)
    assert finished == "failure" and text.startswith("MUE_ECOUNTER: security counter 4 is below")


def test_a_release_that_runs_already_is_done(product, stub, device):
    stub.deploy(7, product.first)
    d = device()
    d.power_on()
    assert end_of(stub, 7, d) == ("success", "1.1 runs already in slot a")
    assert not stub.downloads()


def test_no_envelope_is_said(product, stub, device):
    stub.deploy(7, product.second)
    stub.files = {n: b for n, b in stub.files.items() if not n.endswith(".suit")}
    d = device()
    d.power_on()
    finished, text = end_of(stub, 7, d)
    assert finished == "failure" and "no .suit envelope among the 1 artifacts" in text


def test_once_polls_once(product, stub, device):
    d = device()
    env = {"MUE_BOOT_SLOT": "a"}
    run(AGENT, "--config", d.config, "--once", env=env)
    assert [r[:2] for r in stub.requests if r[0] == "GET"] == [("GET", f"/DEFAULT/controller/v1/{d.name}")]
    assert stub.attributes["mue.version"] == product.first.version
    stub.deploy(7, product.second)
    run(AGENT, "--config", d.config, "--once", env=env, rc=75)
    # the loader did not boot slot b (there is none here): asked again, bounded, then said
    for _ in range(3):
        run(AGENT, "--config", d.config, "--once", env=env, rc=75)
    run(AGENT, "--config", d.config, "--once", env=env)
    assert "the loader does not boot slot b" in stub.ends(7)[0][1]


def test_a_real_machine_is_rebooted_by_its_command(product, stub, device):
    d = device()
    d.config.write_text(d.config.read_text().replace("sim:", "file:") + f"reboot = touch {d.folder}/rebooted\n")
    stub.deploy(7, product.second)
    run(AGENT, "--config", d.config, "--once", env={"MUE_BOOT_SLOT": "a"}, rc=75)
    assert (d.folder / "rebooted").exists()


def test_a_wrong_configuration_is_said_with_its_exit_code(product, device):
    d = device()
    text = d.config.read_text()
    d.config.write_text(text.replace("bootctl", "bootctrl"))
    run(AGENT, "--config", d.config, rc=78)
    run(AGENT, rc=64)
    assert "slot.a" in run(AGENT, "--help")


def test_a_second_agent_is_kept_away(product, stub, device):
    d = device()
    d.power_on()
    wait_for("polls", lambda: stub.requests)
    run(AGENT, "--config", d.config, rc=69)


@pytest.mark.parametrize("which", [0, 1], ids=["install", "fetch"])
def test_a_killed_process_continues_in_the_middle(product, stub, device, which):
    big = product.release(image=product.image("big", bulk=6_000_000))
    stub.deploy(7, big)
    stub.faults[payload_of(big)] = [("hold", 3_000_000)]
    d = device(slot_size="16M")
    d.power_on()
    wait_for("two megabytes in the slot", lambda: d.slots["b"].read_bytes()[:2_000_000] == big.image[:2_000_000])
    assert d.kill(which)
    stub.go_on()
    assert end_of(stub, 7, d)[0] == "success"
    assert [b[0] for b in d.boots] == ["a", "b"]  # the agent was started again, the machine was not
    second = stub.downloads()[1][2]
    assert int(second.split("=")[1].rstrip("-")) >= 1_000_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_it_works_too(product, stub):
    """Nothing to give up but the seccomp filters and Landlock: install and poll as an ordinary user."""
    stub.deploy(7, product.second)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mue-plain-"))
    try:
        shutil.copytree(product.trust, folder / "trust")
        (folder / "a").write_bytes(product.first.image)
        (folder / "b").touch()
        (folder / "conf").write_text(
            f"server = {stub.url}\nid = x\ntoken = t\ntrust = {folder}/trust\nstate = {folder}/state\n"
            f"vendor = acme.example\nclass = gw-1\nslot.a = {folder}/a\nslot.b = {folder}/b\n"
            f"bootctl = sim:{folder}/boot\ndisk.min = 0\n")
        shutil.copy(AGENT, folder / "mue-agent")
        run("chown", "-R", "nobody", folder)
        run("setpriv", "--reuid=nobody", "--clear-groups", folder / "mue-agent", "--config", folder / "conf", "--once",
            rc=75)
        assert (folder / "b").read_bytes()[:len(product.second.image)] == product.second.image
        assert "rebooting for its trial" in stub.texts(7)[-1]
    finally:
        shutil.rmtree(folder)
