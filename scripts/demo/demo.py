#!/usr/bin/python3
"""The whole road once, for real: author, sign, publish, roll out, fetch, verify, install, reboot, trial, confirm,
report; then an update that must not succeed.  Every claim that it prints is checked; one that does not hold ends it
with exit code 1.  Everything stays in build/demo.  MUE_DEMO_KEEP=1 leaves it running until Enter is pressed."""
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine import AGENT, BUILD, LOADER, MUE, SERVER, Device, Server, Stop, need, stop_all  # noqa: E402
from machine import CLASS, VENDOR  # noqa: E402
from show import Show  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
FLEET = 12
ROAD_S = 120  # a rollout that takes longer has failed


def place():
    """MUE_DEMO_DIR, else build/demo, unless a folder above it is closed to the agents' unprivileged user."""
    work = pathlib.Path(os.environ.get("MUE_DEMO_DIR", BUILD / "demo")).absolute()
    if os.geteuid() == 0 and any(p.stat().st_mode & 0o001 == 0 for p in work.parents if p.exists()):
        work = pathlib.Path("/tmp/mue-demo")
        if work.exists() and (work.is_symlink() or work.stat().st_uid != 0):
            raise Stop(f"{work} belongs to somebody else; remedy: set MUE_DEMO_DIR")
    return work


class Demo:
    def __init__(self):
        self.show = Show()
        self.work = place()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("MUE_")}
        self.server, self.devices = None, []
        self.out = self.work / "release"
        self.trust = self.work / "trust"

    # --- programs ---

    def mue(self, *args, say=False, rc=(0,)):
        args = [str(a) for a in args]
        if say:
            self.show.command("mue " + self.short(" ".join(f"'{a}'" if set(a) & set(" ;*?") else a for a in args)))
        r = subprocess.run([MUE, *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60)
        if say:
            for line in r.stdout.splitlines():
                self.show.say("     " + self.short(line))
        if r.returncode not in rc:
            raise Stop(f"mue {' '.join(args)}: exit {r.returncode}\n{r.stdout}{r.stderr}")
        return r

    def short(self, text):
        """Paths as one would type them."""
        return text.replace(f"{self.work}/", os.path.relpath(self.work) + "/")

    def image(self, version, *sick):
        out = self.work / f"rootfs-{version}.squashfs"
        subprocess.run([HERE / "image.sh", version, out, *sick], check=True)
        return out

    # --- the acts ---

    def prepare(self):
        for program in (MUE, SERVER, AGENT, LOADER):
            if not program.exists():
                raise Stop(f"{program} is not built; remedy: make")
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "tokens").mkdir(parents=True)
        self.trust.mkdir()

    def author(self):
        self.show.title("author: three images, a key in a token (SoftHSM2)")
        conf = self.work / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.work}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.env.update(SOFTHSM2_CONF=str(conf), MUE_PIN="123456")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "release", "--pin", "123456",
                        "--so-pin", "123456"], env=self.env, check=True, capture_output=True)
        self.key = "pkcs11:token=release;object=app-os"
        self.mue("key", "new", self.key, say=True)
        self.mue("key", "public", self.key, "-o", self.trust / "app-os.pub", say=True)
        # MUE_DEMO_SICK=no: the third one is healthy, too; the demo must then say that it failed (its test does so).
        sick = [] if os.environ.get("MUE_DEMO_SICK") == "no" else ["sick"]
        self.images = {"1.0.0": self.image("1.0.0"), "2.0.0": self.image("2.0.0"), "3.0.0": self.image("3.0.0", *sick)}
        self.release("1.0.0", 1)

    def release(self, version, sequence, *more, say=False):
        self.mue("pack", "--name", "app-os", "--version", version, "--sequence", sequence, "--vendor", VENDOR,
                 "--class", CLASS, "--component", f"os:rootfs={self.images[version]}", *more, "-o", self.out, say=say)
        suit = self.out / f"app-os-{version}.suit"
        self.mue("sign", suit, "--key", self.key, say=say)
        return suit

    def fleet(self):
        self.show.title(f"the server, and {FLEET} devices that run app-os 1.0.0 (mutual TLS, two slots each)")
        self.server = Server(self.work)
        self.env.update(self.server.env)
        self.mue("trust", "add", self.trust / "app-os.pub", say=True)
        self.devices = [Device(self.work, f"gw-{i + 1:02}", i) for i in range(FLEET)]
        for d in self.devices:
            d.create(self.mue, self.images["1.0.0"], self.out / "app-os-1.0.0.suit", self.trust)
        for d in self.devices:
            d.start()
        self.mue("target", "tag", "bench", "gw-01", say=True)
        self.until("every device polls and says what it runs", 30, lambda: all(
            v == "1.0.0" for v in self.versions().values()) and len(self.versions()) == FLEET)
        self.show.say(f"   {FLEET} devices report app-os 1.0.0")

    def versions(self):
        """What each device says it runs, asked of the server."""
        return {d.name: self.server.get(f"/rest/v1/targets/{d.name}/attributes").get("mue.version")
                for d in self.devices}

    def look(self):
        now = time.monotonic()
        for d in self.devices:
            for _, says in d.look(now):
                self.show.event(d.name, says)

    def until(self, what, seconds, done, rollout=None):
        end = time.monotonic() + seconds
        text, asked = "", 0.0
        while True:
            self.look()
            dead = [d.name for d in self.devices if d.process and d.process.poll() is not None]
            need(not dead, f"every machine goes on ({', '.join(dead)} ended; see its log)")
            if time.monotonic() - asked > 0.5:
                asked = time.monotonic()
                over = done()
                if rollout:
                    text = self.mue("rollout", "show", rollout).stdout
                if over:
                    self.look()
                    self.show.last = 0.0
                    self.show.board(self.devices, text)
                    self.show.keep_board()
                    return text
            self.show.board(self.devices, text)
            need(time.monotonic() < end, f"{what} within {seconds} s")
            time.sleep(0.05)

    def roll_out(self, name, version, stages, *more):
        self.mue("rollout", "create", name, "--ds", f"app-os:{version}", "--stages", stages, *more, "--start", say=True)
        over = ("finished", "paused", "stopped")
        text = self.until(f"rollout {name} is over", ROAD_S,
                          lambda: self.rollout(name)["status"] in over, rollout=name)
        if not self.show.tty:
            self.show.command(f"mue rollout show {name}")
            for line in text.splitlines():
                self.show.say("     " + line)
        return self.rollout(name)["status"]

    def rollout(self, name):
        for r in self.server.get("/rest/v1/rollouts?limit=50")["content"]:
            if r["name"] == name:
                return r
        raise Stop(f"the server does not know rollout {name}")

    def groups(self, name):
        return self.server.get(f"/rest/v1/rollouts/{self.rollout(name)['id']}/deploygroups?limit=50")["content"]

    def good(self):
        self.show.title("author -> sign -> publish: app-os 2.0.0, a security fix")
        suit = self.release("2.0.0", 2, "--security", "--notes", "Closes the hole in the messages.", say=True)
        self.mue("verify", suit, "--trust", self.trust, say=True)
        self.mue("publish", suit, say=True)
        self.show.title("roll out: the bench, then one device, then 30 % of the rest, then all")
        began = time.monotonic()
        status = self.roll_out("two", "2.0.0", "bench,1,30%,100%")
        need(status == "finished", f"the rollout finishes (it is {status})")
        self.check_good(began)

    def check_good(self, began):
        self.until("every device reports 2.0.0", 20, lambda: set(self.versions().values()) == {"2.0.0"})
        sizes = [g["totalTargets"] for g in self.groups("two")]
        need(sum(sizes) == FLEET and sizes[:2] == [1, 1] and 2 <= sizes[2] <= 4, f"stages of 1, 1, 30 %, rest: {sizes}")
        need(all(d.times("boot")[-1] > began for d in self.devices), "every device booted anew")
        need(all(d.times("trial.confirmed") for d in self.devices), "every device confirmed its trial")
        order, when = self.stage_order("two"), self.reports("two")
        need(order[0] == ["gw-01"], f"the bench is gw-01 (it is {order[0]})")
        for before, after in zip(order, order[1:]):
            need(max(when[n]["finished"] for n in before) <= min(when[n]["retrieved"] for n in after),
                 f"none of {after} gets the update before all of {before} have confirmed it")
        for d in self.devices:
            need(d.slot == "B", f"{d.name} runs from slot B")
            need(sha256(d.slot_file("B"), self.images["2.0.0"].stat().st_size) == sha256(self.images["2.0.0"]),
                 f"slot B of {d.name} holds app-os 2.0.0, byte for byte")
        self.show.say(f"   checked: {FLEET} of {FLEET} run and report 2.0.0 from slot B; stages of {sizes}; none began "
                      "before the stage ahead of it had confirmed")

    def stage_order(self, name):
        r = self.rollout(name)["id"]
        return [sorted(t["controllerId"] for t in self.server.get(
            f"/rest/v1/rollouts/{r}/deploygroups/{g['id']}/targets?limit=50")["content"]) for g in self.groups(name)]

    def reports(self, name):
        """When each device first reported what, by the server's clock: {device: {"retrieved": ms, "finished": ms}}."""
        found = {}
        for d in self.devices:
            path = f"/rest/v1/targets/{d.name}/actions"
            action, = [a for a in self.server.get(path)["content"] if a.get("rolloutName") == name]
            status = self.server.get(f"{path}/{action['id']}/status?limit=100")["content"]
            found[d.name] = {s["type"]: s["reportedAt"] for s in sorted(status, key=lambda s: -s["reportedAt"])}
        return found

    def sick(self):
        self.show.title("and one that must not succeed: 3.0.0 is signed and whole, but its service does not start")
        suit = self.release("3.0.0", 3, "--feature", say=True)
        self.mue("publish", suit, say=True)
        before = {d.name: (len(d.boots), len(d.events), sha256(d.slot_file("A")), sha256(d.slot_file("B")))
                  for d in self.devices}
        status = self.roll_out("three", "3.0.0", "1,30%,100%", "--on-error", "stop")
        need(status in ("stopped", "paused", "stopping"), f"the rollout stops by itself (it is {status})")
        time.sleep(3)  # three polls more: whoever would still be touched is touched now
        self.look()
        self.check_sick(before)

    def check_sick(self, before):
        canary, = self.stage_order("three")[0]
        canary = next(d for d in self.devices if d.name == canary)
        others = [d for d in self.devices if d is not canary]
        need([r for _, r in canary.boots[before[canary.name][0]:]][:1] == ["trial"], "the canary booted it on trial")
        need(canary.slot == "B", f"the canary is back in slot B (it is in {canary.slot})")
        self.until("the canary reports 2.0.0 again", 20, lambda: set(self.versions().values()) == {"2.0.0"})
        need(self.server.get(f"/rest/v1/targets/{canary.name}")["updateStatus"] == "error",
             "the server knows that the canary failed")
        for d in others:
            boots, events, a, b = before[d.name]
            need((len(d.boots), len(d.events)) == (boots, events), f"{d.name} did nothing")
            need((sha256(d.slot_file("A")), sha256(d.slot_file("B"))) == (a, b), f"{d.name}'s slots are untouched")
        self.mue("target", "why", canary.name, "--ds", "app-os:3.0.0", say=True)
        self.show.say(f"   checked: {canary.name} tried 3.0.0, failed its health check and went back to 2.0.0; the rollout "
                      f"stopped; {len(others)} devices were never touched")

    def end(self):
        self.show.title("where everything is")
        rel = os.path.relpath
        for path, what in ((self.out, "the releases: envelopes and payloads; look: mue inspect"),
                           (self.work / "server", "the server's data folder (database, blobs, CA, trusted keys)"),
                           (self.work / "server.log", "its log"),
                           (self.work / "devices", "a folder a device: slots, boot state, credentials, log"),
                           (self.work / "trust", "the release key that devices believe; its other half is in tokens/")):
            self.show.say(f"   {rel(path):<24} {what}")
        self.mue("status", say=True)
        if os.environ.get("MUE_DEMO_KEEP") and sys.stdin.isatty():
            self.show.say(f"\n   look around: export MUE_SERVER={self.server.url} MUE_TOKEN={self.server.token} "
                          f"MUE_CA={self.server.ca}")
            input("   Enter ends it. ")

    def run(self):
        began = time.monotonic()
        self.prepare()
        self.author()
        self.fleet()
        self.good()
        self.sick()
        self.end()
        self.show.say(f"   {FLEET} devices, 2 rollouts, {time.monotonic() - began:.0f} s: everything said above was "
                      "checked")


def sha256(path, size=None):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read(size) if size else f.read()).hexdigest()


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code, demo = 1, Demo()
    try:
        demo.run()
        code = 0
    except Stop as e:
        demo.show.keep_board()
        print(f"\nThe demo failed: {e}\nLogs: {demo.work}/server.log, {demo.work}/devices/*/log", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        code = 130
    except Exception:
        traceback.print_exc()
    finally:
        stop_all([t for t in [*demo.devices, demo.server] if t])
    return code


if __name__ == "__main__":
    sys.exit(main())
