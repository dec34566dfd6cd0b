#!/usr/bin/python3
"""Install of a 256 MB image by mue-agent beside `dd conv=fsync` of the same file, on the same disk.

The agent's time runs from its first report of the download to its order to reboot: TLS download from
mue-server on this machine, streaming digest, write, fsync, reading back from the medium, second digest, boot
state.  dd copies from the page cache into a new file and fsyncs, and checks nothing.  One line a figure: name, value, unit, rival's value, ratio.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from agent_rig import AGENT, Device, Product, Server  # noqa: E402

SIZE = int(os.environ.get("MUE_BENCH_SIZE", str(256 << 20)))
ROUNDS = 5


def seconds(function):
    begin = time.monotonic()
    function()
    return time.monotonic() - begin


def dd(folder):
    out = folder / "dd.out"
    out.unlink(missing_ok=True)
    return seconds(lambda: subprocess.run(["dd", f"if={folder}/image", f"of={out}", "bs=1M", "conv=fsync"], check=True,
                                          capture_output=True))


class Peaks(threading.Thread):
    """Peak RSS in kB and CPU seconds of both processes, as /proc tells until they end."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.rss, self.cpu = pid, {}, {}
        self.start()

    def look(self, name, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        self.rss[name] = next(int(x.split()[1]) for x in status if x.startswith("VmHWM"))
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        self.cpu[name] = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def run(self):
        while True:
            try:
                children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
                self.look("install", self.pid)
                for c in children[:1]:
                    self.look("fetch", c)
            except (OSError, StopIteration):
                if not pathlib.Path(f"/proc/{self.pid}/status").exists():
                    return
            time.sleep(0.005)


def install(server, product, first, second, n):
    """One install; gives (seconds, Peaks)."""
    device = Device(server, product, f"bench-{n}", first, slot_size=SIZE + (1 << 20))
    action = server.assign(device.name, second)
    agent = subprocess.Popen([AGENT, "--config", device.config, "--once"], stderr=subprocess.DEVNULL,
                             env={**os.environ, "MUE_BOOT_SLOT": "a"})
    peaks = Peaks(agent.pid)
    assert agent.wait(120) == 75, "the agent did not ask for its reboot"
    times = server.api("GET", f"/rest/v1/targets/{device.name}/actions/{action}/status?sort=id:ASC")["content"]
    begin = next(t["reportedAt"] for t in times if any("downloading" in m for m in t["messages"]))
    end = next(t["reportedAt"] for t in times if any("rebooting" in m for m in t["messages"]))
    device.slots["b"].unlink()
    return (end - begin) / 1000, peaks


def main():
    with tempfile.TemporaryDirectory(prefix="mue-bench-") as name:
        folder = pathlib.Path(name)
        product = Product(folder / "product")
        server = Server(folder)
        server.api("POST", "/api/v1/trust", {"name": "release", "pem": (product.trust / "release.pub").read_text()})
        first = product.release()
        image = os.urandom(SIZE)
        second = product.release(image=image).publish(server)
        (folder / "image").write_bytes(image)
        del image
        os.sync()
        rival, ours, peaks = [], [], []
        try:
            for n in range(ROUNDS):
                rival.append(dd(folder))
                took, peak = install(server, product, first, second, n)
                ours.append(took)
                peaks.append(peak)
        finally:
            server.stop()
    mb = SIZE >> 20
    a, b = statistics.median(ours), statistics.median(rival)
    print(f"install {mb} MB {a:.2f} s, dd conv=fsync {b:.2f} s, ratio {a / b:.2f}")
    print(f"install {mb} MB best {min(ours):.2f} s, dd best {min(rival):.2f} s, ratio {min(ours) / min(rival):.2f}")
    for who in ("install", "fetch"):
        rss = max(p.rss.get(who, 0) for p in peaks) / 1024
        print(f"peak RSS of {who} {rss:.1f} MB, limit 8 MB, ratio {rss / 8:.2f}")
        print(f"CPU of {who} {statistics.median(p.cpu.get(who, 0) for p in peaks):.2f} s")


if __name__ == "__main__":
    main()
