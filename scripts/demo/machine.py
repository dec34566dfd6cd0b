"""The programs of the demo: a server, and devices that are simulated machines with two slots each."""
import ctypes
import json
import os
import pathlib
import shlex
import signal
import ssl
import subprocess
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUE_BUILD", ROOT / "build"))
MUE = BUILD / "cli/mue"
SERVER = BUILD / "server/mue-server"
AGENT = BUILD / "agent/mue-agent"
LOADER = BUILD / "agent/mue-boot-sim"

VENDOR, CLASS = "acme.example", "gw-1"


class Stop(Exception):
    """The demo cannot go on, or one of its claims does not hold."""


def end_with_parent():
    """In a child: no program of the demo outlives it, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def need(truth, claim):
    if not truth:
        raise Stop(f"this does not hold: {claim}")


class Server:
    def __init__(self, work):
        self.data = work / "server"
        self.log = work / "server.log"
        self.process = subprocess.Popen(
            [SERVER, "--data", self.data, "--listen", "127.0.0.1:0", "--poll", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True,
            preexec_fn=end_with_parent)
        self.token = self.address = None
        for line in self.process.stdout:
            word = line.split()
            if word[0] == "admin-token":
                self.token = word[1]
            elif word[:2] == ["listening", "https"]:
                self.address = word[2]
            elif word[0] == "ready":
                break
        if not (self.token and self.address):
            raise Stop(f"mue-server did not start; see {self.log}")
        self.url = f"https://{self.address}"
        self.ca = self.data / "ca/ca.crt"
        self.env = {"MUE_SERVER": self.url, "MUE_TOKEN": self.token, "MUE_CA": str(self.ca)}
        self.tls = ssl.create_default_context(cafile=str(self.ca))

    def get(self, path):
        q = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(q, context=self.tls, timeout=10) as a:
            return json.load(a)

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Stop("mue-server did not end within 10 s of SIGTERM")


class Device:
    """One machine: a loader, two slots, an agent.  What it does is read from its log, as it writes it."""

    def __init__(self, work, name, index):
        self.name, self.index = name, index
        self.dir = work / "devices" / name
        self.log = self.dir / "log"
        self.slot, self.version, self.state = "?", "?", "off"
        self.boots, self.events, self.process, self._at = [], [], None, 0

    def create(self, cli, image, envelope, trust):
        """A device as it leaves the factory: slot A written, credentials made, nothing in slot B."""
        d = self.dir
        for sub in ("envelopes", "state", "root"):
            (d / sub).mkdir(parents=True)
        (d / "slot-a.img").write_bytes(image.read_bytes())
        (d / "slot-b.img").touch()
        (d / "envelopes/a.suit").write_bytes(envelope.read_bytes())
        cli("enroll", self.name, "-o", d / "credentials", "--vendor", VENDOR, "--class", CLASS, "--trust", trust,
            "--state", d / "state", "--slot-a", d / "slot-a.img", "--slot-b", d / "slot-b.img",
            "--bootctl", f"sim:{d}/boot")
        self.config = d / "credentials/mue-agent.conf"
        with open(self.config, "a") as f:
            f.write(f"envelopes = {d}/envelopes\nhealth = {d}/root/system/etc/mue/health.d\n"
                    f"health.timeout = 10\nslot.size = 16M\npoll = 1\nretry = 1\n")
        self.trust = trust

    def start(self):
        d = self.dir
        self.process = subprocess.Popen(
            [LOADER, "--state", d / "boot", "--slot-a", d / "slot-a.img", "--slot-b", d / "slot-b.img",
             "--envelopes", d / "envelopes", "--trust", self.trust, "--root", d / "root",
             "--", AGENT, "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "a"), stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def look(self, now):
        """Reads what the log has gained; returns each new event as (word, what the device does now)."""
        new = []
        with open(self.log, "rb") as f:
            f.seek(self._at)
            for line in f:
                if not line.endswith(b"\n"):
                    break  # the rest of it comes with the next look
                self._at += len(line)
                word = self._event(line.decode(errors="replace"))
                if word:
                    new.append((word, self.state))
                    self.events.append((now, word))
        return new

    def _event(self, line):
        """The event's name, when it is one that the board shows; self.state is what it means."""
        try:
            words = shlex.split(line)
        except ValueError:
            return None
        fields = dict(w.split("=", 1) for w in words if "=" in w)
        if words[:1] == ["boot"] and "slot" in fields:
            self.slot, reason = fields["slot"].upper(), fields.get("reason", "")
            self.boots.append((self.slot, reason))
            self.state = f"boots slot {self.slot}" + (", on trial" if reason == "trial" else "")
            return "boot"
        name = words[1] if len(words) > 1 else ""
        says = {
            "agent.start": f"runs app-os {fields.get('version')}",
            "envelope.verified": f"verified the envelope of {fields.get('version')}, fetches",
            "trial.begin": "on trial: health checks",
            "trial.confirmed": f"confirmed app-os {self.version}",
            "trial.unhealthy": f"unhealthy: {fields.get('why')}",
            "agent.reboot": "reboots",
        }
        if name not in says:
            return None
        if name == "agent.start":
            self.version = fields.get("version", "?")
        self.state = says[name]
        return name

    def times(self, name):
        return [t for t, word in self.events if word == name]

    def slot_file(self, slot):
        return self.dir / f"slot-{slot.lower()}.img"


def stop_all(things):
    for t in things:
        p = getattr(t, "process", None)
        if p and p.poll() is None:
            p.send_signal(signal.SIGTERM)
    for t in things:
        t.stop()
