"""A client that nobody here wrote: Debian's swupdate in suricatta's hawkBit mode against mue-server.

It is built for signed images only, so the .swu files are signed with CMS.  Its sockets and temporary
files go to a folder of the test's own (TMPDIR).
"""
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from conftest import Device, enroll, wait_for

pytestmark = pytest.mark.xdist_group("swupdate")

if not shutil.which("swupdate"):
    pytest.skip("swupdate is not installed (scripts/deps.sh does)", allow_module_level=True)


def cpio(entries):
    """The crc form of cpio(5), 070702, which SWUpdate takes."""
    out = b""
    for inode, (name, data) in enumerate([*entries, ("TRAILER!!!", b"")], 1):
        name = name.encode() + b"\0"
        fields = [inode, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), sum(data) & 0xffffffff]
        out += b"070702" + b"".join(b"%08X" % f for f in fields) + name
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out + b"\0" * (-len(out) % 512)


class Swupdate:
    """One device with a slot file, and the program that updates it."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.slot = folder / "slot.img"
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        self.log = folder / "swupdate.log"
        self.process = None
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=signer", "-days", "100",
                     "-addext", "extendedKeyUsage=emailProtection", "-addext", "keyUsage=digitalSignature",
                     "-keyout", "signer.key", "-out", "signer.crt")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def swu(self, image, digest=None):
        """A signed update that puts `image` into the slot."""
        description = f'''software = {{
            version = "1.0";
            hardware-compatibility: [ "1.0" ];
            files: ( {{ filename = "rootfs.img"; path = "{self.slot}";
                        sha256 = "{digest or hashlib.sha256(image).hexdigest()}"; }} );
        }}'''.encode()
        (self.folder / "sw-description").write_bytes(description)
        self.openssl("cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-signer", "signer.crt",
                     "-inkey", "signer.key", "-outform", "DER", "-nosmimecap", "-binary")
        signature = (self.folder / "sw-description.sig").read_bytes()
        return cpio([("sw-description", description), ("sw-description.sig", signature), ("rootfs.img", image)])

    def start(self, url, *suricatta, cert=None, token=None):
        config = f'globals : {{ verbose = true; }};\nsuricatta : {{ cafile = "{self.server.ca}";'
        if cert:
            config += f' sslcert = "{cert[0]}"; sslkey = "{cert[1]}";'
        (self.folder / "swupdate.cfg").write_text(config + " };\n")
        arguments = f"-t DEFAULT -u {url} -i dev1 -p 1 -w 1 -r 5 " + " ".join(suricatta)
        if token:
            arguments += f" -k {token}"
        self.process = subprocess.Popen(
            ["swupdate", "-v", "-f", self.folder / "swupdate.cfg", "-k", self.folder / "signer.crt", "-H", "board:1.0",
             "-B", "none", "-M", "-m", "-u", arguments],
            stdout=open(self.log, "ab"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(self.tmp)}, start_new_session=True)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def text(self):
        return self.log.read_text(errors="replace")


@pytest.fixture
def client(folder, server):
    (folder / "client").mkdir()
    s = Swupdate(folder / "client", server)
    yield s
    s.stop()


def states(operator, action):
    return [x["type"] for x in operator.history("dev1", action)]


def messages(operator, action):
    return [m for x in operator.history("dev1", action) for m in x["messages"]]


def test_a_full_update_over_mutual_tls(operator, server, client, folder):
    image = random.Random(1).randbytes(3_000_000)
    cert = enroll(operator, folder, "dev1")
    dist, _ = operator.release("rootfs", "1.0", {"update.swu": client.swu(image)})
    action = operator.assign(dist, "dev1")
    client.start(server.url, cert=cert)
    wait_for(lambda: "All Chunks Installed." in messages(operator, action), 40)
    assert client.slot.read_bytes() == image
    assert "finished" not in states(operator, action), "it is not done before the device says so"
    assert operator.get("/rest/v1/targets/dev1")["updateStatus"] == "pending"
    client.stop()
    # The device has rebooted into the new image and says that it works.
    client.start(server.url, "-c 2", cert=cert)
    wait_for(lambda: "finished" in states(operator, action), 30)
    assert operator.get("/rest/v1/targets/dev1")["updateStatus"] == "in_sync"
    assert operator.get("/rest/v1/targets/dev1/installedDS")["version"] == "1.0"
    wait_for(lambda: operator.why("dev1")["reached"], 10)


def test_a_corrupted_update_is_closed_with_a_reason(operator, server, client):
    token = operator.target("dev1")["securityToken"]
    good = random.Random(2).randbytes(200_000)
    dist, _ = operator.release("rootfs", "1.0", {"update.swu": client.swu(good, digest="11" * 32)})
    action = operator.assign(dist, "dev1")
    client.start(server.url, token=token)
    wait_for(lambda: "error" in states(operator, action), 40)
    last = operator.history("dev1", action)[-1]
    assert last["type"] == "error" and last["messages"]
    assert any("HASH mismatch" in m for m in messages(operator, action))
    assert not client.slot.exists()
    assert operator.get("/rest/v1/targets/dev1")["updateStatus"] == "error"
    why = operator.why("dev1")
    assert not why["reached"] and "reported a failure" in why["why"]


def test_an_update_of_a_foreign_signer_is_closed_with_a_reason(operator, server, client, folder):
    token = operator.target("dev1")["securityToken"]
    (folder / "stranger").mkdir()
    stranger = Swupdate(folder / "stranger", server)
    dist, _ = operator.release("rootfs", "1.0", {"update.swu": stranger.swu(b"evil" * 1000)})
    action = operator.assign(dist, "dev1")
    client.start(server.url, token=token)
    wait_for(lambda: "error" in states(operator, action), 40)
    assert not client.slot.exists()


class Proxy:
    """Passes bytes between swupdate and the server's plain listener; notes the requests; cuts the connection once,
    after `cut` bytes of answers."""

    def __init__(self, server, cut):
        self.server, self.cut = server, cut
        self.passed, self.cuts, self.requests = 0, 0, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open = True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.server.http_port))
            threading.Thread(target=self.up, args=(client, upstream), daemon=True).start()
            threading.Thread(target=self.down, args=(client, upstream), daemon=True).start()

    def up(self, client, upstream):
        try:
            while data := client.recv(65536):
                self.requests += data
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def down(self, client, upstream):
        try:
            while data := upstream.recv(65536):
                client.sendall(data)
                self.passed += len(data)
                if not self.cuts and self.passed > self.cut:
                    self.cuts += 1
                    break
        except OSError:
            pass
        for s in (client, upstream):
            try:
                s.shutdown(socket.SHUT_RDWR)  # the other thread still reads from it
            except OSError:
                pass
            s.close()

    def close(self):
        self.open = False
        self.listener.close()


def test_a_cancelled_update(operator, server, client):
    """Cancelled before the device has begun: SWUpdate acknowledges with closed/success."""
    token = operator.target("dev1")["securityToken"]
    dist, _ = operator.release("rootfs", "1.0", {"update.swu": client.swu(b"image" * 1000)})
    action = operator.assign(dist, "dev1")
    operator.call("DELETE", f"/rest/v1/targets/dev1/actions/{action}", expect=(200, 204))
    client.start(server.url, token=token)
    wait_for(lambda: "canceled" in states(operator, action), 40)
    assert not client.slot.exists()
    assert Device(server, "dev1", token=f"TargetToken {token}").link("cancelAction") is None
    assert "cancelled" in operator.why("dev1", set=dist)["why"]


def test_a_resumed_download(operator, server, client):
    """The connection breaks in the middle of the download: the rest is asked for by Range."""
    token = operator.target("dev1")["securityToken"]
    image = random.Random(3).randbytes(8_000_000)
    dist, _ = operator.release("rootfs", "1.0", {"update.swu": client.swu(image)})
    action = operator.assign(dist, "dev1")
    proxy = Proxy(server, cut=3_000_000)
    try:
        client.start(proxy.url, token=token)
        wait_for(lambda: "All Chunks Installed." in messages(operator, action), 60)
    finally:
        proxy.close()
    assert proxy.cuts == 1
    ranges = [int(n) for n in re.findall(rb"Range: bytes=(\d+)-", proxy.requests) if int(n)]
    assert ranges and ranges[0] > 1_000_000
    assert proxy.passed < 1.6 * len(image), "it does not begin anew"
    assert client.slot.read_bytes() == image
