"""A fleet for the page's tests: a server with releases, tags, devices in every state, and devices that answer."""
import pathlib
import subprocess
import threading
import zlib

import conftest

MUE = conftest.BUILD / "cli/mue"
DEVICES = 36


class Site:
    """One server and the files of two signed releases."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.server = conftest.Server(self.folder, "--poll", "60").start()
        self.operator = conftest.Operator(self.server)
        self.tokens = {}
        self.stopping = threading.Event()
        self.threads = []

    def mue(self, *args):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "MUE_PASSPHRASE": "correct horse"}
        subprocess.run([MUE, *map(str, args)], cwd=self.folder, env=env, check=True, capture_output=True)

    def make_release(self, version, sequence, sign):
        """out/gateway-VERSION.suit and its two payloads."""
        for name, size in (("rootfs.img", 900_000), ("shell.tar", 60_000)):
            (self.folder / name).write_bytes((version + name).encode() * (size // 16))
        self.mue("pack", "-n", "gateway", "-v", version, "-s", sequence, "--vendor", "acme.example", "--class", "gw-1",
                 "-c", "os:rootfs=rootfs.img", "-c", "application:shell=shell.tar",
                 "--notes", "Closes two holes in the radio driver; saves a fifth of the standby power.", "-o", "out")
        if sign:
            self.mue("sign", f"out/gateway-{version}.suit", "--key", "release.key")

    def make_files(self):
        self.mue("key", "new", "--kind", "es256", "release.key")
        self.make_release("2.2.0", 22, True)
        self.make_release("2.3.0", 23, False)
        (self.folder / "out/broken-1.0.suit").write_bytes(b"\xd8\x6b\xbf\xff" * 40)

    def device(self, name):
        return conftest.Device(self.server, name, token=f"TargetToken {self.tokens[name]}", http=True)

    def add_devices(self):
        places = ("depot", "harbour", "mill", "quarry", "station", "tower")
        names = [f"{places[i % 6]}-{i // 6 + 1:02d}" for i in range(DEVICES)]
        made = self.operator.post("/rest/v1/targets", [{"controllerId": f"gw-{n}", "name": n} for n in names])
        for target in made:
            self.tokens[target["controllerId"]] = target["securityToken"]

    def tag(self, name, colour, ids):
        tag = self.operator.post("/rest/v1/targettags", [{"name": name, "colour": colour}])[0]["id"]
        self.operator.call("PUT", f"/rest/v1/targettags/{tag}/assigned", expect=(200, 201, 204), json=ids)

    def update(self, dist, ids, good=True, words="the new slot was confirmed"):
        actions = self.operator.post(f"/rest/v1/distributionsets/{dist}/assignedTargets", [{"id": i} for i in ids])
        for controller_id, action in zip(ids, actions["assignedActions"]):
            device = self.device(controller_id)
            device.deployment()
            device.feedback(action["id"], "download", details=["1 of 2 files fetched"])
            device.feedback(action["id"], "closed", "success" if good else "failure", [words])

    def seed(self):
        """A fleet with a history: two versions in the field, a failure, some who wait, some never seen."""
        self.make_files()
        self.add_devices()
        ids = list(self.tokens)
        old, _ = self.operator.release("gateway", "2.0.4", {"gateway-2.0.4.img": b"old" * 5000})
        new, _ = self.operator.release("gateway", "2.1.0", {"gateway-2.1.0.img": b"new" * 9000})
        self.tag("bench", "#7c3aed", ids[:3])
        self.tag("north", "#2563eb", ids[6:18])
        for i in ids[:30]:
            self.device(i).attributes({"mue.vendor": "acme.example", "mue.slot": "a", "mue.version": "2.0.4",
                                       "serial": f"SN{zlib.crc32(i.encode()) % 10 ** 8:08d}"})
        self.update(old, ids[:28])
        self.update(new, ids[:12])
        self.trip(new, ids[12:18])
        # What a device says must never become code on the page.
        self.device(ids[13]).attributes({"note": "<img src=x onerror=\"document.title='owned'\">"})

    def trip(self, dist, ids):
        """A rollout that stands still: two of its devices failed, one has read what to do, the others nothing."""
        self.tag("west", "#b45309", ids)
        rollout = self.operator.post("/rest/v1/rollouts", {
            "name": "2.1.0 for the west", "distributionSetId": dist, "targetFilterQuery": "tag==west",
            "groups": [{"name": "1: 100%", "targetPercentage": 100, "errorAction": {"action": "PAUSE", "expression": ""},
                        "successCondition": {"condition": "THRESHOLD", "expression": "90"},
                        "errorCondition": {"condition": "THRESHOLD", "expression": "10"}}]})["id"]
        self.operator.call("POST", f"/rest/v1/rollouts/{rollout}/start", expect=(200, 204))
        for i in ids[:2]:
            device = self.device(i)
            link = conftest.wait_for(lambda: device.link("deploymentBase"))
            device.call("GET", link, expect=200)
            device.feedback(link.split("?")[0].rsplit("/", 1)[1], "closed", "failure",
                            ["slot b: digest differs after reading it back"])
        self.device(ids[2]).deployment()

    def answer(self, ids, fails=()):
        """Devices that ask for work every now and then, until the site is closed.  The file "answers" says how many
        updates they may end in all: so a test holds a rollout where it wants to look at it."""
        def live():
            devices = [self.device(i) for i in ids]
            ended = 0
            while not self.stopping.wait(0.2):
                allowed = int((self.folder / "answers").read_text() or 0)
                for device in devices if ended < allowed else ():
                    link = device.link("deploymentBase")
                    if link and ended < allowed:
                        ended += 1
                        action = link.split("?")[0].rsplit("/", 1)[1]
                        device.call("GET", link, expect=200)
                        device.feedback(action, "closed", "failure" if device.id in fails else "success", ["as asked"])
        self.allow(3)
        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        self.threads.append(thread)

    def allow(self, answers):
        (self.folder / "answers").write_text(str(answers))

    def close(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=10)
        self.server.close()
