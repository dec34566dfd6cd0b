"""mue against the real server: enroll, trust, publish, target, rollout, status.  Devices are played by hand, over DDI
and mutual TLS, so that each can succeed or fail when the test says so."""
import json
import os
import pty
import re
import subprocess
import time

import conftest
import pytest
import requests

MUE = conftest.BUILD / "cli/mue"
OK, REFUSED, USAGE, IO, SAID_NO, KEY, STOPPED = range(7)


class Site:
    """A server, a release key, and mue with all variables set."""

    def __init__(self, folder):
        self.folder = folder
        self.server = conftest.Server(folder, "--poll", "1").start()
        self.url, self.ca, token = self.server.url, self.server.ca, self.server.token
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "MUE_PASSPHRASE": "correct horse",
                    "MUE_SERVER": self.url, "MUE_TOKEN": token, "MUE_CA": str(self.ca)}
        self.rest = requests.Session()
        self.rest.trust_env = False  # else variables of the environment win over verify
        self.rest.headers["Authorization"] = f"Bearer {token}"
        self.rest.verify = str(self.ca)

    def mue(self, *args, rc=OK, **env):
        r = subprocess.run([MUE, *map(str, args)], cwd=self.folder, env={**self.env, **env}, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=60, start_new_session=True)
        assert r.returncode == rc, f"mue {' '.join(map(str, args))}: exit {r.returncode}\n{r.stdout}{r.stderr}"
        return r

    def get(self, path):
        r = self.rest.get(self.url + path, timeout=10)
        assert r.status_code == 200, f"{path}: {r.status_code} {r.text}"
        return r.json()

    def release(self, version, sequence, sign=True, data=None, name="app"):
        image = self.folder / f"{name}-{version}.img"
        image.write_bytes(data or f"image {version} ".encode() * 20000)
        self.mue("pack", "-n", name, "-v", version, "-s", sequence, "--vendor", "acme.example", "--class", "gw-1",
                 "-c", f"os:rootfs={image}", "--notes", f"Notes of {version}.", "--force", "-o", "out")
        if sign:
            self.mue("sign", f"out/{name}-{version}.suit", "--key", "release.key")
        return f"out/{name}-{version}.suit"

    def stop(self):
        try:
            assert self.server.stop() == 0
        finally:
            self.server.close()


class Device(conftest.Device):
    """A device that mue enrolled, without an agent: it takes its action, and says what the test wants."""

    def __init__(self, site, name):
        site.mue("enroll", name, "--vendor", "acme.example", "--class", "gw-1")
        super().__init__(site.server, name, cert=(site.folder / name / "device.crt", site.folder / name / "device.key"))
        self.session.trust_env = False

    def action(self):
        link = self.link("deploymentBase")
        return re.search(r"deploymentBase/(\d+)", link).group(1) if link else None

    def finish(self, good, seconds=20):
        """Waits for the action and closes it."""
        end = time.monotonic() + seconds
        while (action := self.action()) is None:
            assert time.monotonic() < end, f"{self.id} is offered nothing"
            time.sleep(0.1)
        self.feedback(action, "closed", "success" if good else "failure", ["as the test says"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    s = Site(tmp_path_factory.mktemp("site"))
    try:
        s.mue("key", "new", "release.key")
        s.mue("trust", "add", "release.key.pub")
        yield s
    finally:
        s.stop()


@pytest.fixture(scope="module")
def devices(site):
    return [Device(site, f"dev-{i}") for i in range(5)]


@pytest.fixture(scope="module")
def published(site):
    site.mue("publish", site.release("1.0", 1))
    return "app:1.0"


# --- credentials ---

def test_enrolment_writes_what_the_agent_needs(site, devices):
    d = site.folder / "dev-0"
    assert sorted(p.name for p in d.iterdir()) == ["ca.crt", "device.crt", "device.key", "mue-agent.conf"]
    assert (d / "device.key").stat().st_mode & 0o777 == 0o600
    r = subprocess.run(["openssl", "verify", "-CAfile", d / "ca.crt", d / "device.crt"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    conf = dict(l.split(" = ", 1) for l in (d / "mue-agent.conf").read_text().splitlines() if " = " in l)
    assert conf["server"] == site.url and conf["id"] == "dev-0" and conf["vendor"] == "acme.example"
    assert conf["cert"] == str(d / "device.crt") and conf["key"] == str(d / "device.key")
    devices[0].poll()


def test_enrolling_again_renews_the_certificate_of_the_same_key(site, devices):
    key = (site.folder / "dev-1/device.key").read_bytes()
    old = (site.folder / "dev-1/device.crt").read_bytes()
    site.mue("enroll", "dev-1", "--vendor", "acme.example", "--class", "gw-1")
    assert (site.folder / "dev-1/device.key").read_bytes() == key
    assert (site.folder / "dev-1/device.crt").read_bytes() != old
    devices[1].poll()


def test_a_device_whose_key_is_in_a_token(site):
    conf = site.folder / "softhsm2.conf"
    (site.folder / "tokens").mkdir()
    conf.write_text(f"directories.tokendir = {site.folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = {"SOFTHSM2_CONF": str(conf)}
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "device", "--pin", "1234", "--so-pin", "1"
                    "234"], env={**os.environ, **env}, check=True, capture_output=True)
    uri = "pkcs11:token=device;object=tls"
    site.mue("enroll", "dev-token", "--key", uri, MUE_PIN="1234", **env)
    d = site.folder / "dev-token"
    assert not (d / "device.key").exists()
    assert f"key = {uri}" in (d / "mue-agent.conf").read_text()
    site.mue("enroll", "dev-token", "--key", uri, MUE_PIN="1234", **env)  # the key is there now
    site.mue("enroll", "dev-token", "--key", uri, rc=KEY, MUE_PIN="9999", **env)


@pytest.mark.parametrize("what,env,rc,sentence", [
    ("a wrong token", {"MUE_TOKEN": "wrong"}, SAID_NO, "check --token or MUE_TOKEN"),
    ("a server that the CA does not vouch for", {"MUE_CA": "/etc/hostname"}, IO, ""),
    ("a server that is not there", {"MUE_SERVER": "https://127.0.0.1:9"}, IO, "127.0.0.1:9"),
], ids=lambda v: v if isinstance(v, str) and " " in v else "")
def test_who_cannot_talk_to_the_server_is_told_why(site, what, env, rc, sentence):
    assert sentence in site.mue("status", rc=rc, **env).stderr


# --- publish ---

def test_publish_makes_module_artifacts_and_set(site, published):
    ds, = site.get("/rest/v1/distributionsets?q=name==app;version==1.0")["content"]
    assert ds["description"] == "Notes of 1.0."
    module, = site.get(f"/rest/v1/distributionsets/{ds['id']}/assignedSM")["content"]
    assert module["type"] == "os" and module["version"] == "1.0"
    names = [a["providedFilename"] for a in site.get(f"/rest/v1/softwaremodules/{module['id']}/artifacts")]
    assert sorted(names) == ["app-1.0.rootfs.img", "app-1.0.suit"]


def test_publish_again_sends_nothing(site, published):
    out = site.mue("publish", "out/app-1.0.suit").stdout
    assert "0 uploaded, 2 there already" in out


def test_publish_goes_on_where_it_was_cut_short(site):
    site.mue("publish", site.release("1.1", 2))
    ds, = site.get("/rest/v1/distributionsets?q=name==app;version==1.1")["content"]
    module, = site.get(f"/rest/v1/distributionsets/{ds['id']}/assignedSM")["content"]
    path = f"/rest/v1/softwaremodules/{module['id']}/artifacts"
    lost = next(a for a in site.get(path) if a["providedFilename"].endswith(".img"))
    r = site.rest.delete(f"{site.url}/rest/v1/distributionsets/{ds['id']}", timeout=10)
    assert r.status_code == 200, r.text
    r = site.rest.delete(f"{site.url}{path}/{lost['id']}", timeout=10)
    if r.status_code != 200:  # a module that was part of a set may be locked for good: as far as it can go
        assert "2 there already" in site.mue("publish", "out/app-1.1.suit").stdout
        return
    assert "1 uploaded, 1 there already" in site.mue("publish", "out/app-1.1.suit").stdout


def test_a_published_release_never_changes(site, published):
    kept = {p: (site.folder / p).read_bytes() for p in ("out/app-1.0.suit", "out/app-1.0.rootfs.img")}
    site.release("1.0", 1, data=b"another image under the same version" * 100)
    r = site.mue("publish", "out/app-1.0.suit", rc=REFUSED)
    assert "raise --version" in r.stderr
    for path, data in kept.items():
        (site.folder / path).write_bytes(data)


def test_what_is_not_signed_is_not_sent(site):
    r = site.mue("publish", site.release("6.6", 66, sign=False), rc=REFUSED)
    assert "out/app-6.6.suit" in r.stderr
    assert site.get("/rest/v1/distributionsets?q=version==6.6")["total"] == 0
    assert site.get("/rest/v1/softwaremodules?q=version==6.6")["total"] == 0


def test_a_tampered_payload_is_not_sent(site):
    suit = site.release("6.7", 67)
    with open(site.folder / "out/app-6.7.rootfs.img", "ab") as f:
        f.write(b"!")
    assert "app-6.7.rootfs.img was tampered with" in site.mue("publish", suit, rc=REFUSED).stderr
    assert site.get("/rest/v1/softwaremodules?q=version==6.7")["total"] == 0


def test_the_server_refuses_a_key_that_only_the_author_trusts(site):
    site.mue("key", "new", "own.key")
    suit = site.release("6.8", 68, sign=False)
    site.mue("sign", suit, "--key", "own.key")
    site.mue("publish", suit, rc=REFUSED)  # found out here, by the server's list of keys
    r = site.mue("publish", suit, "--key", "own.key.pub", rc=SAID_NO)  # and there
    assert "app-6.8.suit" in r.stderr or "signature" in r.stderr
    assert site.get("/rest/v1/distributionsets?q=version==6.8")["total"] == 0


def test_two_components_share_one_set(site):
    (site.folder / "net.conf").write_bytes(b"a=1\n")
    (site.folder / "root.img").write_bytes(b"root" * 100)
    site.mue("pack", "-n", "duo", "-v", "1", "-s", 1, "--vendor", "acme.example", "--class", "gw-1",
             "-c", "os:rootfs=root.img", "-c", "config:net=net.conf,version=9", "-o", "out")
    site.mue("sign", "out/duo-1.suit", "-k", "release.key")
    site.mue("publish", "out/duo-1.suit")
    ds, = site.get("/rest/v1/distributionsets?q=name==duo")["content"]
    modules = site.get(f"/rest/v1/distributionsets/{ds['id']}/assignedSM")["content"]
    assert sorted(m["type"] for m in modules) == ["config", "os"]
    for m in modules:
        names = [a["providedFilename"] for a in site.get(f"/rest/v1/softwaremodules/{m['id']}/artifacts")]
        assert "duo-1.suit" in names and len(names) == 2


# --- targets ---

def test_target_list_show_tag(site, devices):
    for d in devices:
        d.poll()
    rows = site.mue("target", "list").stdout.splitlines()
    assert [r.split()[0] for r in rows[1:] if r.startswith("dev-")][:5] == [d.id for d in devices]
    assert site.mue("target", "tag", "bench", "dev-0", "dev-3").stdout == "bench: put on 2 targets\n"
    listed = json.loads(site.mue("target", "list", "--json", "--filter", "tag==bench").stdout)
    assert sorted(t["controllerId"] for t in listed) == ["dev-0", "dev-3"]
    site.mue("target", "tag", "--remove", "bench", "dev-3")
    listed = json.loads(site.mue("target", "list", "--json", "--filter", "tag==bench").stdout)
    assert [t["controllerId"] for t in listed] == ["dev-0"]
    text = site.mue("target", "show", "dev-0").stdout
    assert "dev-0" in text and "bench" in text
    assert "nobody" in site.mue("target", "show", "nobody", rc=SAID_NO).stderr
    r = site.mue("target", "list", "--filter", "id=~~x", rc=SAID_NO)
    assert r.stderr.strip()


@pytest.mark.parametrize("words,absent", [
    (["dev-1", "shelf"], "shelf"),          # the two in the wrong order
    (["shelf", "dev-1", "dev-99"], "dev-99"),  # a slip in the last one
], ids=["swapped", "unknown"])
def test_a_tag_for_a_device_that_is_not_there_changes_nothing(site, devices, words, absent):
    r = site.mue("target", "tag", *words, rc=SAID_NO)
    assert f'there is no device "{absent}", nothing was changed' in r.stderr and "mue target tag TAG ID..." in r.stderr
    assert site.get(f"/rest/v1/targettags?q=name=={words[0]}")["content"] == []
    site.mue("target", "tag", "--remove", *words, rc=SAID_NO)


def test_target_why(site, devices):
    text = site.mue("target", "why", "dev-4").stdout
    assert text.startswith("dev-4: ") and "known" in text
    assert json.loads(site.mue("target", "why", "--json", "dev-4").stdout)["target"] == "dev-4"
    site.mue("target", "why", "nobody", rc=SAID_NO)


# --- rollouts ---

def groups(site, name):
    r, = site.get(f'/rest/v1/rollouts?q=name=="{name}"')["content"]
    return site.get(f"/rest/v1/rollouts/{r['id']}/deploygroups")["content"]


def wait_status(site, name, status, seconds=20):
    end = time.monotonic() + seconds
    while True:
        r, = site.get(f'/rest/v1/rollouts?q=name=="{name}"')["content"]
        if r["status"] == status:
            return r
        assert time.monotonic() < end, f"{name} is {r['status']}, not {status}"
        time.sleep(0.1)


FLEET = "id==dev-0,id==dev-1,id==dev-2,id==dev-3,id==dev-4"


def test_a_rollout_goes_from_stage_to_stage_and_watch_sees_its_end(site, devices, published):
    site.mue("target", "tag", "bench", "dev-0")
    site.mue("rollout", "create", "good", "--ds", "app:1.0", "--filter", FLEET, "--stages", "bench,1,50%,100%", "--start")
    assert [g["totalTargets"] for g in groups(site, "good")] == [1, 1, 2, 1]
    watch = subprocess.Popen([MUE, "rollout", "watch", "good", "--interval", "100", "--timeout", "50"], env=site.env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        devices[0].finish(True)
        left = devices[1:]
        for n in (1, 2, 1):  # the gate opens for n more
            end = time.monotonic() + 20
            while len(ready := [d for d in left if d.action()]) < n:
                assert time.monotonic() < end, f"{len(ready)} of {n} are offered it"
                time.sleep(0.1)
            assert len(ready) == n
            for d in ready:
                d.finish(True)
                left.remove(d)
        out, _ = watch.communicate(timeout=50)
    finally:
        watch.kill()
    assert watch.returncode == OK, out
    assert "rollout good: finished" in out and "4: 100%" in out and "\033" not in out
    assert "rollout good: finished" in site.mue("rollout", "show", "good").stdout
    status = site.mue("status").stdout
    assert "app:1.0" in status and "5 of" in status


def test_an_error_halts_the_rollout_and_watch_says_so(site, devices, published):
    site.mue("publish", site.release("2.0", 20))
    site.mue("rollout", "create", "bad", "--ds", "app:2.0", "--filter", FLEET, "--stages", "bench,1,100%", "--start")
    devices[0].finish(False)
    out = site.mue("rollout", "watch", "bad", "--interval", "100", "--timeout", "30", rc=STOPPED).stdout
    assert "1 FAILED" in out and "rollout bad: paused" in out
    assert all(d.action() is None for d in devices[1:])
    assert "bad" in site.mue("status").stdout
    site.mue("rollout", "stop", "bad")
    wait_status(site, "bad", "stopped")


def test_on_error_stop_ends_it_for_good(site, devices, published):
    site.mue("publish", site.release("2.1", 21))
    site.mue("rollout", "create", "worse", "--ds", "app:2.1", "--filter", FLEET, "--stages", "bench,100%", "--on-error",
             "stop", "--start")
    devices[0].finish(False)
    site.mue("rollout", "watch", "worse", "--interval", "100", "--timeout", "30", rc=STOPPED)
    wait_status(site, "worse", "stopped")
    assert all(d.action() is None for d in devices[1:])


def test_a_stage_whose_tag_nobody_carries_is_refused(site, devices, published):
    site.mue("target", "tag", "bench", "dev-0")
    create = ["rollout", "create", "slip", "--ds", "app:1.0", "--stages"]
    r = site.mue(*create, "bnech,1,100%", rc=SAID_NO)
    assert 'no device of this rollout carries the tag "bnech"' in r.stderr
    assert "mue target tag bnech DEVICE..." in r.stderr and "--allow-empty" in r.stderr
    # The tag is carried, but by nobody of the filter; the comma of the filter binds looser than the tag.
    r = site.mue(*create, "1,bench,100%", "--filter", "id==dev-1,id==dev-2", rc=SAID_NO)
    assert 'the tag "bench"' in r.stderr
    assert site.get("/rest/v1/rollouts?q=name==slip")["content"] == []
    site.mue(*create, "bnech,1,100%", "--allow-empty")
    assert [g["totalTargets"] for g in groups(site, "slip")][:2] == [0, 1]
    site.mue("rollout", "stop", "slip")


def on_terminal(site, *args):
    """Runs mue with a terminal as standard output; gives what it drew and its exit code."""
    main, side = pty.openpty()
    p = subprocess.Popen([MUE, *args], cwd=site.folder, env=site.env, stdin=subprocess.DEVNULL, stdout=side,
                         stderr=subprocess.PIPE)
    os.close(side)
    drawn = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(main)
    p.stderr.close()
    return drawn.decode(), p.wait(30)


def test_a_terminal_gets_bars_that_are_drawn_over(site, devices, published):
    suit = site.release("2.3", 23, data=os.urandom(1 << 20) * 24)
    drawn, code = on_terminal(site, "publish", suit)
    assert code == OK
    assert re.search(r"\r\x1b\[Kapp-2.3.rootfs.img  \[[#-]{30}\]  [0-9.]+ .?B of 25.1 MB", drawn), drawn
    assert "\r\x1b[Kuploaded app-2.3.rootfs.img  25.1 MB\r\n" in drawn
    site.mue("rollout", "create", "seen", "--ds", "app:2.3", "--filter", FLEET, "--stages", "1,100%", "--start")
    drawn, code = on_terminal(site, "rollout", "watch", "seen", "--interval", "200", "--timeout", "2")
    assert code == IO  # it still runs
    assert drawn.count("\x1b[3A\x1b[J") >= 2 and drawn.count("1: 1") >= 3, drawn
    site.mue("rollout", "stop", "seen")


def test_a_person_starts_pauses_resumes_and_stops(site, devices, published):
    site.mue("publish", site.release("2.2", 22))
    site.mue("rollout", "create", "slow", "--ds", "app:2.2", "--filter", FLEET, "--stages", "1,100%")
    wait_status(site, "slow", "ready")
    assert all(d.action() is None for d in devices)
    assert "slow" in site.mue("rollout", "list").stdout
    site.mue("rollout", "start", "slow")
    wait_status(site, "slow", "running")
    assert "paused" in site.mue("rollout", "pause", "slow").stdout
    assert "running" in site.mue("rollout", "resume", "slow").stdout
    r = wait_status(site, "slow", "running")
    site.mue("rollout", "stop", r["id"])  # by its number, too
    wait_status(site, "slow", "stopped")
    r = site.mue("rollout", "resume", "slow", rc=SAID_NO)
    assert r.stderr.startswith("mue rollout resume: ")


@pytest.mark.parametrize("args,rc,sentence", [
    (["show", "nothing"], SAID_NO, 'there is no rollout "nothing"'),
    (["create", "x", "--ds", "app:99", "--stages", "100%"], SAID_NO, "the server has no release app:99"),
    (["create", "x", "--ds", "app", "--stages", "100%"], USAGE, "--ds wants NAME:VERSION"),
    (["create", "good", "--ds", "app:1.0", "--stages", "100%", "--filter", "id==dev-0"], SAID_NO, "good"),
    (["create", "x", "--ds", "app:1.0", "--stages", "100%", "--filter", "id=="], SAID_NO, ""),
], ids=["unknown", "no release", "no version", "name taken", "bad filter"])
def test_what_is_wrong_with_a_rollout_is_named(site, devices, published, args, rc, sentence):
    r = site.mue("rollout", *args, rc=rc)
    assert sentence in r.stderr and r.stderr.startswith("mue rollout")
