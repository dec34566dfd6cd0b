#!/usr/bin/python3
"""Install of a 256 MB image by mue-agent beside two rivals on the same disk, in turn, medians.

The agent's time runs from its first report of the download to its order to reboot: TLS download from
mue-server on this machine, streaming digest, write, fsync, reading back from the medium, second digest, boot
state.  The rivals check nothing: `curl | dd conv=fsync` fetches the same artifact over the same TLS from the
same server, which is the limit of this road; `dd conv=fsync` copies from the page cache, which is the disk's.
CPU seconds are those of the client's side; on a busy machine they say more than the clock, so the load is
printed too.  This machine's disk may be ten times as fast as a device's, so the same is run on storage of
50 MB/s (an SD card) and 150 MB/s (eMMC), where qemu-storage-daemon is there to throttle it (packages qemu-system-common, fuse3).
One line a figure: name, value, unit, rival's value, ratio.
"""
import os
import pathlib
import resource
import shutil
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


def cpu():
    """Seconds of processor time of the children that have ended."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def shell(command, out):
    """(seconds, CPU seconds) of a command that writes the file."""
    out.unlink(missing_ok=True)
    begin, used = time.monotonic(), cpu()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, capture_output=True)
    took = time.monotonic() - begin, cpu() - used
    assert out.stat().st_size == SIZE, command
    out.unlink()
    return took


def dd(folder):
    out = folder / "dd.out"
    return shell(f"dd if={folder}/image of={out} bs=1M conv=fsync", out)


def curl_dd(folder, server, url):
    out = folder / "curl.out"
    return shell(f"curl -sf --cacert {server.data}/ca/ca.crt -H 'Authorization: Bearer {server.token}' {url}"
                 f" | dd of={out} bs=1M iflag=fullblock conv=fsync", out)


def download_url(server, release):
    """Where an operator downloads the release's image."""
    for module in server.api("GET", f"/rest/v1/distributionsets/{release.set_id}")["modules"]:
        base = f"/rest/v1/softwaremodules/{module['id']}/artifacts"
        for artifact in server.api("GET", base):
            if artifact["size"] == SIZE:
                return f"{server.url}{base}/{artifact['id']}/download"
    raise AssertionError("the image is not among the release's artifacts")


class Peaks(threading.Thread):
    """Peak RSS in kB of both processes, as /proc tells until they end."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.rss = pid, {}
        self.start()

    def look(self, name, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        self.rss[name] = next(int(x.split()[1]) for x in status if x.startswith("VmHWM"))

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
            time.sleep(0.03)  # the peak stays to be read


class SlowDisk:
    """A file, `slot`, on storage that takes so many MB/s and no burst."""

    def __init__(self, folder, rate):
        self.slot, disk = folder / f"slot-{rate}", folder / f"disk-{rate}"
        self.slot.touch()
        with open(disk, "wb") as f:
            f.truncate(SIZE + (1 << 20))
        self.daemon = subprocess.Popen(
            ["qemu-storage-daemon", "--object", f"throttle-group,id=rate,x-bps-write={rate}000000",
             "--blockdev", f"driver=file,node-name=file,filename={disk}",
             "--blockdev", "driver=throttle,node-name=slow,throttle-group=rate,file=file",
             "--export", f"type=fuse,id=slot,node-name=slow,mountpoint={self.slot},writable=on"])
        while self.slot.stat().st_size == 0 and self.daemon.poll() is None:
            time.sleep(0.05)

    def dd(self, folder):
        begin = time.monotonic()
        subprocess.run(["dd", f"if={folder}/image", f"of={self.slot}", "bs=1M", "conv=fsync,notrunc"], check=True,
                       capture_output=True)
        return time.monotonic() - begin

    def close(self):
        self.daemon.terminate()
        self.daemon.wait()


def slow(server, product, first, second, folder, rate):
    if not shutil.which("qemu-storage-daemon") or not os.path.exists("/dev/fuse"):
        print(f"install on storage of {rate} MB/s: not run, there is no qemu-storage-daemon or no /dev/fuse")
        return
    disk = SlowDisk(folder, rate)
    try:
        plain, ours = [], []
        for n in range(3):
            plain.append(disk.dd(folder))
            ours.append(install(server, product, first, second, f"{rate}-{n}", slot_b=disk.slot)[0])
    finally:
        disk.close()
    compare(f"install {SIZE >> 20} MB, storage of {rate} MB/s", "s", ours, "dd conv=fsync", plain)


def install(server, product, first, second, n, **config):
    """One install; gives (seconds, CPU seconds, Peaks)."""
    device = Device(server, product, f"bench-{n}", first, slot_size=SIZE + (1 << 20), **config)
    action = server.assign(device.name, second)
    used = cpu()
    agent = subprocess.Popen([AGENT, "--config", device.config, "--once"], stderr=subprocess.DEVNULL,
                             env={**os.environ, "MUE_BOOT_SLOT": "a"})
    peaks = Peaks(agent.pid)
    assert agent.wait(120) == 75, "the agent did not ask for its reboot"
    used = cpu() - used
    times = server.api("GET", f"/rest/v1/targets/{device.name}/actions/{action}/status?sort=id:ASC")["content"]
    begin = next(t["reportedAt"] for t in times if any("downloading" in m for m in t["messages"]))
    end = next(t["reportedAt"] for t in times if any("rebooting" in m for m in t["messages"]))
    device.slots["b"].unlink()
    return (end - begin) / 1000, used, peaks


def compare(what, unit, ours, rival_name, rival):
    """Prints the medians of two lists and their ratio."""
    a, b = statistics.median(ours), statistics.median(rival)
    print(f"{what} {a:.2f} {unit}, {rival_name} {b:.2f} {unit}, ratio {a / b:.2f}")


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
        url = download_url(server, second)
        plain, piped, ours = [], [], []
        try:
            for n in range(ROUNDS):
                plain.append(dd(folder))
                piped.append(curl_dd(folder, server, url))
                ours.append(install(server, product, first, second, n))
            for rate in (50, 150):
                slow(server, product, first, second, folder, rate)
        finally:
            server.stop()
    mb = SIZE >> 20
    times = [o[0] for o in ours]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    compare(f"install {mb} MB", "s", times, "curl | dd conv=fsync", [p[0] for p in piped])
    compare(f"install {mb} MB", "s", times, "dd conv=fsync", [p[0] for p in plain])
    compare(f"install {mb} MB best", "s", [min(times)], "curl | dd best", [min(p[0] for p in piped)])
    compare(f"install {mb} MB best", "s", [min(times)], "dd best", [min(p[0] for p in plain)])
    compare(f"CPU of an install of {mb} MB", "s", [o[1] for o in ours], "curl | dd", [p[1] for p in piped])
    for who in ("install", "fetch"):
        rss = max(o[2].rss.get(who, 0) for o in ours) / 1024
        print(f"peak RSS of {who} {rss:.1f} MB, limit 8 MB, ratio {rss / 8:.2f}")


if __name__ == "__main__":
    main()
