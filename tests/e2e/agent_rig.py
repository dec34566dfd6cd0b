"""A product for the agent's end-to-end tests: release keys, releases, a real mue-server, simulated
machines (mue-boot-sim + mue-agent).  Everything is in a temporary folder and on loopback."""
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUE_BUILD", ROOT / "build"))
MUE = BUILD / "cli" / "mue"
SERVER = BUILD / "server" / "mue-server"
AGENT = BUILD / "agent" / "mue-agent"
BOOT_SIM = BUILD / "agent" / "mue-boot-sim"
VENDOR, CLASS = "acme.example", "gw-1"


def run(*args, env=None, rc=0, cwd=None):
    r = subprocess.run([str(a) for a in args], env={**os.environ, **(env or {})}, cwd=cwd, text=True,
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert r.returncode == rc, f"{' '.join(map(str, args))}: exit {r.returncode}\n{r.stdout}{r.stderr}"
    return r.stdout


def wait_for(what, condition, seconds=60):
    """Waits until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"after {seconds} s: not {what}"
        time.sleep(0.02)


class Server:
    """A mue-server; poll: seconds between a device's polls."""

    def __init__(self, folder, poll=1):
        self.folder, self.poll = folder, poll
        self.data = folder / "server"
        self.start()

    def start(self):
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [SERVER, "--data", self.data, "--listen", "127.0.0.1:0", "--poll", str(self.poll)],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            word = line.split()
            if word[0] == "admin-token":
                self.token = word[1]
            elif word[0] == "listening" and word[1] == "https":
                self.url = "https://localhost:" + word[2].rsplit(":", 1)[1]
            elif word[0] == "ready":
                break
        else:
            raise AssertionError((self.folder / "server.log").read_text())
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, no other CA
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        self.session.verify = str(self.data / "ca" / "ca.crt")
        self.env = {"MUE_SERVER": self.url, "MUE_TOKEN": self.token,
                    "MUE_CA": str(self.data / "ca" / "ca.crt"), "MUE_PASSPHRASE": "correct horse"}

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()

    def api(self, method, path, body=None, ok=(200, 201, 202, 204)):
        r = self.session.request(method, self.url + path, json=body, timeout=20)
        assert r.status_code in ok, f"{method} {path}: {r.status_code} {r.text}"
        return r.json() if r.content else None

    def assign(self, device, release, **how):
        """Assigns a release to a device; gives the action's id."""
        a = self.api("POST", f"/rest/v1/targets/{device}/assignedDS", {"id": release.set_id, **how})
        return a["assignedActions"][-1]["id"]

    def action(self, device, action):
        return self.api("GET", f"/rest/v1/targets/{device}/actions/{action}")

    def states(self, device, action):
        """The action's status messages, oldest first: [(type, text)]."""
        got = self.api("GET", f"/rest/v1/targets/{device}/actions/{action}/status?sort=id:ASC&limit=500")
        return [(s["type"], " ".join(s.get("messages") or [])) for s in got["content"]]

    def attributes(self, device):
        return self.api("GET", f"/rest/v1/targets/{device}/attributes") or {}


class Release:
    def __init__(self, product, version, sequence, image, name="os", key="release", counter=0,
                 class_name=CLASS, extra=()):
        self.version, self.image = version, image
        self.digest = hashlib.sha256(image).hexdigest()
        folder = product.folder / f"r-{name}-{version}-{key}"
        folder.mkdir()
        (folder / "in.img").write_bytes(image)
        run(MUE, "pack", "--name", name, "--version", version, "--sequence", sequence, "--vendor", VENDOR,
            "--class", class_name, "--component", "os:rootfs=in.img", "--security-counter", counter, *extra,
            "-o", "out", cwd=folder)
        self.envelope = folder / "out" / f"{name}-{version}.suit"
        run(MUE, "sign", self.envelope, "--key", product.folder / f"{key}.key", env=product.env)
        self.files = folder / "out"

    def publish(self, server):
        run(MUE, "publish", self.envelope, env=server.env)
        sets = server.api("GET", f"/rest/v1/distributionsets?q=version=={self.version}")["content"]
        self.set_id = sets[0]["id"]
        return self


class Product:
    """Keys and images.  An image is a squashfs with an init that ends at once, and some bulk."""
    env = {"MUE_PASSPHRASE": "correct horse"}

    def __init__(self, folder, bulk=300_000):
        self.folder, self.bulk = folder, bulk
        self.sequence = 0
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("release", "stranger"):
            run(MUE, "key", "new", "--kind", "es256", folder / f"{name}.key", env=self.env)
        self.trust = folder / "trust"
        self.trust.mkdir()
        (self.trust / "release.pub").write_bytes((folder / "release.key.pub").read_bytes())

    def image(self, text, bulk=None):
        tree = self.folder / "tree"
        run("rm", "-rf", tree)
        (tree / "bin").mkdir(parents=True)
        run("cp", "/bin/busybox", tree / "bin" / "busybox")
        (tree / "bin" / "sh").symlink_to("busybox")
        (tree / "init").write_text(f"#!/bin/sh\necho {text}\nexit 0\n")
        (tree / "init").chmod(0o755)
        (tree / "bulk").write_bytes(os.urandom(self.bulk if bulk is None else bulk))
        out = self.folder / "tree.squashfs"
        run("rm", "-f", out)
        run("mksquashfs", tree, out, "-noappend", "-quiet", "-noD", "-noI", "-no-progress")
        return out.read_bytes()

    def release(self, image=None, sequence=None, **more):
        self.sequence += 1
        n = self.sequence if sequence is None else sequence
        return Release(self, f"1.{self.sequence}", n, image or self.image(f"1.{self.sequence}"), **more)


class Device:
    """A machine with two slots, release `first` in slot A."""

    def __init__(self, server, product, name, first, slot_size=8 << 20, server_url=None, token=None, **config):
        self.server, self.product, self.name = server, product, name
        self.folder = product.folder / name
        self.folder.mkdir()
        self.state, self.health = self.folder / "state", self.folder / "health"
        self.envelopes = self.state / "envelopes"
        for d in (self.envelopes, self.health, self.folder / "root"):
            d.mkdir(parents=True)
        if server:
            run(MUE, "enroll", name, "-o", self.folder / "id", env=server.env)
        self.slots = {s: self.folder / f"slot-{s}" for s in "ab"}
        self.slots["a"].write_bytes(first.image)
        self.slots["b"].write_bytes(b"")
        (self.envelopes / "a.suit").write_bytes(first.envelope.read_bytes())
        ident = self.folder / "id"
        keys = {"server": server_url or server.url, "id": name, "token": token,
                "cert": None if token else ident / "device.crt", "key": None if token else ident / "device.key",
                "ca": None if token else ident / "ca.crt", "trust": product.trust, "state": self.state, "vendor": VENDOR,
                "class": CLASS, "slot.a": self.slots["a"], "slot.b": self.slots["b"], "slot.size": slot_size,
                "bootctl": f"sim:{self.folder}/boot", "health": self.health, "health.timeout": 5,
                "retry": 0, "disk.min": 0, **{k.replace("_", "."): v for k, v in config.items()}}
        self.config = self.folder / "agent.conf"
        self.config.write_text("".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None))
        self.boots = []  # (slot, reason, digest of the slot's image)
        self.machine = None

    def add_check(self, name, script):
        path = self.health / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)

    def power_on(self, env=None):
        self.log = open(self.folder / "machine.log", "ab")
        self.machine = subprocess.Popen(
            [BOOT_SIM, "--state", self.folder / "boot", "--slot-a", self.slots["a"], "--slot-b", self.slots["b"],
             "--envelopes", self.envelopes, "--trust", self.product.trust, "--root", self.folder / "root",
             "--", AGENT, "--config", self.config],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **(env or {})})
        threading.Thread(target=self._read, args=(self.machine,), daemon=True).start()

    def _read(self, machine):
        for line in machine.stdout:
            m = re.match(r"boot slot=(\S+) seq=(\d+) reason=(\S+)", line)
            if m:
                self.boots.append(m.groups())

    def power_off(self):
        """Ends the machine and what it started, by its id."""
        if self.machine and self.machine.poll() is None:
            self.machine.terminate()
            self.machine.wait(10)
        if self.machine:
            self.log.close()
        self.machine = None

    def agent_pids(self):
        """[install, fetch], as far as they run."""
        try:
            children = pathlib.Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text().split()
        except OSError:
            return []
        for pid in children:
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() != "mue-agent":
                    continue
                fetch = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                continue
            return [int(pid)] + [int(f) for f in fetch]
        return []

    def tree(self):
        """What the machine runs, for a failure's message: ids, states, where they wait."""
        pids = [self.machine.pid]
        for pid in pids:
            try:
                pids += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except OSError:
                continue
        return run("ps", "-o", "pid,ppid,pgid,stat,wchan:24,args", *map(str, pids))

    def kill(self, which):
        """kill -9 of process 0 (install) or 1 (fetch); gives its id, 0: it was not there."""
        pids = self.agent_pids()
        if len(pids) <= which:
            return 0
        try:
            os.kill(pids[which], signal.SIGKILL)
        except ProcessLookupError:
            return 0
        return pids[which]

    def update(self, release, seconds=60, **how):
        """Assigns and waits for the end; gives (action's type of end, states)."""
        action = self.server.assign(self.name, release, **how)
        return action, self.ended(action, seconds)

    def ended(self, action, seconds=60):
        def closed():
            return [s for s in self.server.states(self.name, action) if s[0] in ("finished", "error", "canceled")]
        try:
            return wait_for(f"the end of action {action}", closed, seconds)[-1]
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.server.states(self.name, action)}\n{self.text()[-3000:]}") from None

    def text(self):
        return (self.folder / "machine.log").read_text(errors="replace")
