"""mue-server as a program: start, stop, enrolment, trust, uploads, kill -9, why, metrics."""
import hashlib
import json
import os
import random
import socket
import subprocess
import threading
import time

import pytest
import requests

from conftest import BUILD, Device, Operator, Server, enroll, make_key, wait_for


TURNS = 100 if os.environ.get("MUE_LONG") else 12  # kills of each kill test


# ---- start and stop ----

def test_the_first_start_prints_the_token_once(folder):
    s = Server(folder)
    try:
        s.start()
        first = s.token
        assert len(first) == 32
        for name in ("mue.db", "blobs", "ca/ca.crt", "ca/ca.key", "tls/server.crt", "tls/server.key", "trust"):
            assert (s.data / name).exists(), name
        for secret in ("ca/ca.key", "tls/server.key"):
            assert (s.data / secret).stat().st_mode & 0o077 == 0
        assert s.stop() == 0
        s.token = None
        s.start()
        assert s.token is None, "the second start prints no token"
        s.token = first
        assert Operator(s).get("/api/v1/trust") == []
        database = (s.data / "mue.db").read_bytes() + (s.data / "mue.db-wal").read_bytes()
        assert first.encode() not in database, "only the digest of the token is kept"
    finally:
        s.close()


def test_certificates_name_what_was_asked_and_renew_for_a_new_name(folder):
    names = lambda: subprocess.run(["openssl", "x509", "-in", folder / "data/tls/server.crt", "-noout", "-ext", "subjectAltName"],
                                   check=True, capture_output=True, text=True).stdout
    s = Server(folder, "--name", "updates.example")
    try:
        s.start()
        for name in ("DNS:localhost", "DNS:updates.example", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
            assert name in names()
        before = (s.data / "tls/server.crt").read_text()
        s.stop()
        s.start()
        assert (s.data / "tls/server.crt").read_text() == before
        s.stop()
        s.args = ("--name", "other.example")
        s.start()
        assert "DNS:other.example" in names()
        subprocess.run(["openssl", "verify", "-CAfile", s.ca, s.data / "tls/server.crt"], check=True, capture_output=True)
    finally:
        s.close()


def test_two_servers_do_not_share_a_folder(server):
    r = subprocess.run([BUILD / "server/mue-server", "--data", server.data, "--listen", "127.0.0.1:0"],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 1 and "another server uses" in r.stderr


@pytest.mark.parametrize("args,code", [((), 2), (("--data",), 2), (("--nonsense",), 2), (("--data", "x", "--poll", "0"), 2),
                                       (("--help",), 0), (("--version",), 0),
                                       (("--data", "/proc/none"), 1),
                                       (("--data", "{folder}", "--listen", "nonsense"), 1)])
def test_usage_and_exit_codes(folder, args, code):
    args = [a.format(folder=folder / "d") for a in args]
    r = subprocess.run([BUILD / "server/mue-server", *args], capture_output=True, text=True, timeout=20, cwd=folder)
    assert r.returncode == code, r.stderr


def test_sigterm_ends_within_five_seconds_even_with_open_downloads(server, operator, device):
    dist, _ = operator.release("app", "1.0", {"big.bin": bytes(20_000_000)})
    operator.assign(dist, "dev1")
    href = device.deployment()["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"]["href"]
    with device.session.get(href, stream=True, timeout=10) as answer:
        next(answer.iter_content(1000))
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5


def test_health_ready_and_metrics(server, operator, device):
    assert requests.get(server.http_url + "/health", timeout=5).json() == {"status": "UP"}
    assert requests.get(server.http_url + "/ready", timeout=5).json() == {"status": "UP"}
    assert requests.get(server.http_url + "/metrics", timeout=5).status_code == 401
    device.poll()
    text = ""

    def counted():  # a request is counted when its answer has been sent
        nonlocal text
        text = operator.call("GET", "/metrics", expect=200).text
        return 'mue_http_requests_total{api="ddi",status="2xx"}' in text

    wait_for(counted, 5)
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert int(values["mue_targets"]) == 1
    assert int(values["mue_polls_total"]) >= 1
    assert int(values['mue_http_requests_total{api="ddi",status="2xx"}']) >= 1
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or len(line.rsplit(" ", 1)) == 2


def test_the_log_is_one_line_an_event_without_secrets(server, operator, device):
    device.poll()
    operator.call("DELETE", "/api/v1/targets/dev1/certificate", expect=200)
    server.stop()
    lines = server.log_text().splitlines()
    assert any(line.startswith("info target.enrolled target=dev1 serial=") for line in lines)
    assert any(line.startswith("info certificate.revoked target=dev1 count=1 by=admin") for line in lines)
    assert lines[-1] == "info server.stopped"
    assert server.token not in server.log_text()


@pytest.mark.parametrize("host", ["", "Host: x y/z\r\n", "Host:\r\n", "Host: a\"b\r\n"], ids=["none", "spaces", "empty", "quote"])
def test_without_a_usable_host_links_name_the_listener(server, operator, host):
    token = operator.target("dev1")["securityToken"]
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as s:
        version = "1.1" if host else "1.0"  # HTTP/1.1 demands a Host
        s.sendall((f"GET /DEFAULT/controller/v1/dev1 HTTP/{version}\r\n{host}Authorization: TargetToken {token}\r\n"
                   "Connection: close\r\n\r\n").encode())
        answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    assert answer.split(" ")[1] == "200", answer
    links = json.loads(answer.split("\r\n\r\n", 1)[1])["_links"]
    assert links["configData"]["href"].startswith(server.http_url + "/DEFAULT/controller/v1/dev1/"), links


# ---- operators ----

def test_operators_show_bearer_or_basic(server):
    url = server.http_url + "/api/v1/trust"
    get = lambda **kw: requests.get(url, timeout=5, **kw).status_code
    assert get(headers={"Authorization": f"Bearer {server.token}"}) == 200
    assert get(auth=("admin", server.token)) == 200
    assert get(auth=("root", server.token)) == 401
    assert get(auth=("admin", "admin")) == 401
    assert get(headers={"Authorization": "Basic !!!"}) == 401
    assert get(headers={"Authorization": "Bearer"}) == 401
    assert get() == 401


def test_tokens_are_added_and_removed(server, operator):
    made = operator.post("/api/v1/tokens", {"name": "ci", "kind": "operator"})
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert requests.get(server.http_url + "/api/v1/tokens", headers=headers, timeout=5).status_code == 200
    assert [t["name"] for t in operator.get("/api/v1/tokens")] == ["admin", "ci"]
    operator.call("POST", "/api/v1/tokens", json={"name": "ci", "kind": "operator"}, expect=409)
    operator.call("POST", "/api/v1/tokens", json={"name": "a b", "kind": "operator"}, expect=400)
    operator.call("DELETE", "/api/v1/tokens/admin", expect=409)
    operator.call("DELETE", "/api/v1/tokens/ci", expect=200)
    operator.call("DELETE", "/api/v1/tokens/ci", expect=404)
    assert requests.get(server.http_url + "/api/v1/tokens", headers=headers, timeout=5).status_code == 401


# ---- enrolment ----

def test_enrolment_gives_a_certificate_with_our_subject(server, operator, folder):
    cert, _ = enroll(operator, folder, "gw-7")
    text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-subject", "-ext", "extendedKeyUsage,basicConstraints"],
                          check=True, capture_output=True, text=True).stdout
    assert "subject=CN = gw-7" in text and "TLS Web Client Authentication" in text and "CA:FALSE" in text
    subprocess.run(["openssl", "verify", "-purpose", "sslclient", "-CAfile", server.ca, cert], check=True, capture_output=True)
    assert operator.get("/rest/v1/targets/gw-7")["controllerId"] == "gw-7"


def test_bad_requests_for_certificates_are_refused(operator, folder):
    _, csr = make_key(folder)
    good = csr.read_text()
    lines = good.splitlines()
    broken = "\n".join([lines[0], *lines[1:-2], lines[-2][:8] + ("AAAA" if lines[-2][8:12] != "AAAA" else "BBBB") + lines[-2][12:], lines[-1]])
    for body in ({}, {"controllerId": "x"}, {"csr": good}, {"controllerId": "a/b", "csr": good}, {"controllerId": "", "csr": good},
                 {"controllerId": "x" * 300, "csr": good}, {"controllerId": "x", "csr": "nonsense"}, {"controllerId": "x", "csr": broken}):
        operator.call("POST", "/api/v1/enroll", json=body, expect=400)
    operator.call("GET", "/rest/v1/targets/x", expect=404)


def test_a_second_certificate_works_beside_the_first_until_both_are_revoked(server, operator, folder):
    (folder / "1").mkdir(), (folder / "2").mkdir()
    a = Device(server, "dev", cert=enroll(operator, folder / "1", "dev"))
    b = Device(server, "dev", cert=enroll(operator, folder / "2", "dev"))
    assert a.poll() and b.poll()
    assert operator.call("DELETE", "/api/v1/targets/dev/certificate").json() == {"revoked": 2}
    a.call("GET", expect=401), b.call("GET", expect=401)
    operator.call("DELETE", "/api/v1/targets/stranger/certificate", expect=404)
    (folder / "3").mkdir()
    c = Device(server, "dev", cert=enroll(operator, folder / "3", "dev"))
    assert c.poll(), "what is issued after a revocation is valid"


def test_revocations_survive_a_restart(server, operator, device):
    operator.call("DELETE", "/api/v1/targets/dev1/certificate", expect=200)
    server.kill()
    server.start()
    device.call("GET", expect=401)


# ---- trust and envelopes ----

class Author:
    """Makes signed releases with the mue program."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "MUE_PASSPHRASE": "correct horse"}
        self("key", "new", "--kind", "es256", "release.key")

    def __call__(self, *args):
        return subprocess.run([BUILD / "cli/mue", *map(str, args)], cwd=self.folder, env=self.env, check=True,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    @property
    def pem(self):
        return (self.folder / "release.key.pub").read_text()

    def release(self, version, sequence, sign=True, image=b"image " * 500, clazz="gw-1"):
        """Gives (envelope's file name, its bytes, the image)."""
        (self.folder / "rootfs.img").write_bytes(image)
        out = self.folder / f"out-{version}"
        self("pack", "--name", "app", "--version", version, "--sequence", sequence, "--vendor", "acme.example",
             "--class", clazz, "--component", "os:rootfs=rootfs.img", "-o", out)
        (suit,) = out.glob("*.suit")
        if sign:
            self("sign", "--key", self.folder / "release.key", suit)
        return suit.name, suit.read_bytes(), image


@pytest.fixture
def author(folder):
    (folder / "author").mkdir()
    return Author(folder / "author")


def test_trusted_keys_are_listed_added_removed(operator, author, server):
    assert operator.get("/api/v1/trust") == []
    made = operator.post("/api/v1/trust", {"name": "product", "pem": author.pem}, expect=201)
    assert made["name"] == "product" and made["kind"] == "es256" and len(made["kid"]) == 16
    assert (server.data / "trust/product.pub").exists()
    operator.post("/api/v1/trust", {"name": "again", "pem": author.pem}, expect=200)
    assert [k["name"] for k in operator.get("/api/v1/trust")] == ["product"]
    for body in ({"name": "../x", "pem": author.pem}, {"name": "x"}, {"name": "x", "pem": "nonsense"}):
        operator.call("POST", "/api/v1/trust", json=body, expect=(200, 400) if "pem" in body and body["pem"] == author.pem else 400)
    operator.call("DELETE", "/api/v1/trust/product", expect=200)
    operator.call("DELETE", "/api/v1/trust/product", expect=200)
    assert operator.get("/api/v1/trust") == []
    operator.call("POST", "/api/v1/trust?name=raw", data=author.pem, expect=201)


def new_module(operator, name="app", version="1"):
    return operator.post("/rest/v1/softwaremodules", [{"name": name, "version": version, "type": "os"}])[0]["id"]


def test_an_envelope_is_stored_only_when_a_trusted_key_signed_it(operator, author):
    module = new_module(operator)
    name, good, _ = author.release("1.0", 1)
    answer = operator.upload(module, name, good, expect=400).json()
    assert answer["info"]["verdict"] == "MUE_ESIGNATURE" and "trusts no release key" in answer["message"]
    operator.post("/api/v1/trust", {"name": "product", "pem": author.pem}, expect=201)
    unsigned_name, unsigned, _ = author.release("1.1", 2, sign=False)
    assert operator.upload(module, unsigned_name, unsigned, expect=400).json()["info"]["verdict"] == "MUE_ESIGNATURE"
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    assert operator.upload(module, name, bytes(flipped), expect=400).json()["message"].startswith(name)
    for bad in (good[:-1], good + b"\0", b"", b"text"):
        operator.upload(module, name, bad, expect=400)
    assert operator.get(f"/rest/v1/softwaremodules/{module}/artifacts") == []
    operator.upload(module, name, good)
    assert len(operator.get(f"/rest/v1/softwaremodules/{module}/artifacts")) == 1


def suit_set(operator, author, version, sequence, **kw):
    name, envelope, image = author.release(version, sequence, **kw)
    return operator.release("app", version, {name: envelope, "rootfs.img": image})


def refusal(operator, dist, controller_id):
    """The assignment is refused with a reason, at once or in the answer's list."""
    return operator.call("POST", f"/rest/v1/distributionsets/{dist}/assignedTargets", json=[{"id": controller_id}], expect=400).json()


def test_assignment_checks_class_vendor_and_order(operator, author, device):
    operator.post("/api/v1/trust", {"name": "product", "pem": author.pem}, expect=201)
    v2, _ = suit_set(operator, author, "2.0", 2)
    v1, _ = suit_set(operator, author, "1.0", 1)
    other, _ = suit_set(operator, author, "3.0", 3, clazz="gw-2")
    device.attributes({"mue.vendor": "acme.example", "mue.class": "gw-1", "mue.sequence": "2"})
    assert refusal(operator, other, "dev1")["info"]["verdict"] == "MUE_ECLASS"
    older = refusal(operator, v1, "dev1")
    assert older["info"]["verdict"] == "MUE_EOLD" and "sequence 1" in older["message"]
    why = operator.why("dev1", set=v1)
    assert not why["reached"]
    operator.post(f"/rest/v1/distributionsets/{v1}/metadata", [{"key": "mue.allow-older", "value": "2.0 drains the battery"}])
    operator.assign(v1, "dev1")
    operator.assign(v2, "dev1")


def test_what_the_device_reports_is_compared_with_what_it_was_given(operator, author, device):
    operator.post("/api/v1/trust", {"name": "product", "pem": author.pem}, expect=201)
    dist, _ = suit_set(operator, author, "2.0", 2)
    action = operator.assign(dist, "dev1")
    device.deployment()
    device.feedback(action, "closed", "success")
    device.attributes({"mue.manifest": "00" * 32})
    why = operator.why("dev1")
    assert not why["reached"] and "reports to run 0000" in why["why"]
    assert why["conditions"][-1]["condition"] == "proved"


# ---- why ----

def test_why_walks_the_road(operator, device):
    because = lambda: operator.why("dev1")["why"]
    assert because() == "no version was ever assigned to the device"
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    action = operator.assign(dist, "dev1")
    assert "never asked this server" in because()
    device.poll()
    assert "not yet read" in because()
    device.deployment()
    device.feedback(action, details=["downloading"])
    assert "downloading" in because()
    device.feedback(action, "closed", "success")
    answer = operator.why("dev1")
    assert answer["reached"] and answer["why"] == "the device is on this version"
    assert answer["installed"]["version"] == "1.0"
    for condition in answer["conditions"]:
        assert set(condition) == {"condition", "holds", "detail"}
    operator.call("GET", "/api/v1/targets/nobody/why", expect=404)
    newer, _ = operator.release("app", "2.0", {"a": b"b"})
    assert "never assigned" in operator.why("dev1", set=newer)["why"] or not operator.why("dev1", set=newer)["reached"]


# ---- uploads ----

def test_uploads_check_the_digests_that_the_client_names(operator):
    module = new_module(operator)
    data = b"payload"
    for field, name in (("md5sum", "md5"), ("sha1sum", "sha1"), ("sha256sum", "sha256")):
        answer = operator.upload(module, "x.bin", data, expect=400, **{field: "00" * hashlib.new(name).digest_size})
        assert answer.json()["info"]["verdict"] == "MUE_EDIGEST"
    assert operator.get(f"/rest/v1/softwaremodules/{module}/artifacts") == []
    made = operator.upload(module, "x.bin", data, sha256sum=hashlib.sha256(data).hexdigest(), filename="named.bin").json()
    assert made["providedFilename"] == "named.bin" and made["hashes"]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a\\b", "x" * 300])
def test_names_that_could_do_harm_are_refused(operator, name):
    module = new_module(operator)
    operator.call("POST", f"/rest/v1/softwaremodules/{module}/artifacts", expect=400,
                  files={"file": ("plain", b"x")}, data={"filename": name})


def blob_path(server, data):
    digest = hashlib.sha256(data).hexdigest()
    return server.data / "blobs" / digest[:2] / digest[2:]


def test_equal_content_is_stored_once_and_leaves_with_its_last_artifact(server, operator):
    data = b"shared content"
    a, b = new_module(operator, "a"), new_module(operator, "b")
    first = operator.upload(a, "x", data).json()["id"]
    second = operator.upload(b, "y", data).json()["id"]
    assert blob_path(server, data).read_bytes() == data
    operator.call("DELETE", f"/rest/v1/softwaremodules/{a}/artifacts/{first}", expect=(200, 204))
    assert blob_path(server, data).exists()
    operator.call("DELETE", f"/rest/v1/softwaremodules/{b}/artifacts/{second}", expect=(200, 204))
    assert not blob_path(server, data).exists()


def test_an_upload_that_breaks_off_leaves_nothing(server, operator):
    module = new_module(operator)
    tmp = server.data / "blobs/tmp"
    patience = 60  # of a busy machine; well below the 120 s after which the server gives up a silent client
    s = socket.create_connection(("127.0.0.1", server.http_port))
    s.sendall((f"POST /rest/v1/softwaremodules/{module}/artifacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
               "Content-Type: multipart/form-data; boundary=frontier\r\nContent-Length: 1000000\r\n\r\n"
               '--frontier\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n').encode() + b"x" * 100000)
    wait_for(lambda: any(f.stat().st_size for f in tmp.iterdir()), patience)  # content has arrived
    s.close()
    wait_for(lambda: not list(tmp.iterdir()), patience)
    assert operator.get(f"/rest/v1/softwaremodules/{module}/artifacts") == []


# ---- kill -9 ----

def artifacts_of(operator, module):
    return {x["providedFilename"]: x for x in operator.get(f"/rest/v1/softwaremodules/{module}/artifacts")}


def test_kill_during_uploads_loses_nothing_that_was_acknowledged(server, operator):
    """Uploads run while the server is killed at random moments: every acknowledged artifact is there with its
    content, and no artifact is there half."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    module = new_module(operator)
    acknowledged, contents, kills = {}, {}, 0
    for turn in range(TURNS):
        stop = threading.Event()

        def upload(worker):
            n, session = 0, requests.Session()
            session.headers["Authorization"] = f"Bearer {server.token}"
            while not stop.is_set():
                name = f"{turn}-{worker}-{n}"
                data = random.Random(name).randbytes(200_000)
                contents[name] = data
                n += 1
                try:
                    answer = session.post(f"{server.http_url}/rest/v1/softwaremodules/{module}/artifacts",
                                          files={"file": (name, data)}, timeout=10)
                except requests.RequestException:
                    return
                if answer.status_code == 201:
                    acknowledged[name] = answer.json()["hashes"]["sha256"]

        workers = [threading.Thread(target=upload, args=(i,)) for i in range(3)]
        for w in workers:
            w.start()
        time.sleep(rng.uniform(0.02, 0.4))
        server.kill()
        kills += 1
        stop.set()
        for w in workers:
            w.join()
        server.start()
        there = artifacts_of(operator, module)
        for name, digest in acknowledged.items():
            assert there[name]["hashes"]["sha256"] == digest
        for name, artifact in there.items():
            assert blob_path(server, contents[name]).read_bytes() == contents[name]
            assert artifact["size"] == len(contents[name])
        assert not list((server.data / "blobs/tmp").iterdir())
    print(f"FIGURE server killed {kills} times during uploads: {len(acknowledged)} acknowledged, none lost, none half")
    assert kills == TURNS and len(acknowledged) > TURNS


def test_kill_during_feedback_loses_nothing_that_was_acknowledged(server, operator):
    """Devices report while the server is killed: what got its 200 is in the history, once."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    devices = []
    for i in range(4):
        token = operator.target(f"d{i}")["securityToken"]
        devices.append((Device(server, f"d{i}", token=f"TargetToken {token}", http=True), operator.assign(dist, f"d{i}")))
    acknowledged = {i: [] for i in range(4)}
    kills = 0
    for turn in range(TURNS):
        stop = threading.Event()

        def report(i):
            device, action = devices[i]
            n = 0
            while not stop.is_set() and n < 50:
                text = f"turn {turn} report {n}"
                try:
                    device.feedback(action, details=[text])
                except requests.RequestException:
                    # Not known whether it arrived: a real device sends it again, with the same words.
                    stop.wait()
                    acknowledged[i].append((text, "again"))
                    return
                acknowledged[i].append((text, "200"))
                n += 1

        workers = [threading.Thread(target=report, args=(i,)) for i in range(4)]
        for w in workers:
            w.start()
        time.sleep(rng.uniform(0.01, 0.25))
        server.kill()
        kills += 1
        stop.set()
        for w in workers:
            w.join()
        server.start()
        for i, (device, action) in enumerate(devices):
            if acknowledged[i] and acknowledged[i][-1][1] == "again":
                text = acknowledged[i][-1][0]
                device.feedback(action, details=[text])
                acknowledged[i][-1] = (text, "200")
    total = 0
    for i, (device, action) in enumerate(devices):
        told = [m for x in operator.history(f"d{i}", action) for m in x["messages"]]
        for text, _ in acknowledged[i]:
            assert told.count(text) == 1, f"d{i}: {text} is there {told.count(text)} times"
        total += len(acknowledged[i])
        device.feedback(action, "closed", "success")
    print(f"FIGURE server killed {kills} times during feedback: {total} acknowledged, none lost, none twice")
    assert kills == TURNS and total > 2 * TURNS


def test_a_database_of_a_newer_program_is_not_touched(folder):
    import sqlite3
    s = Server(folder)
    try:
        s.start()
        s.stop()
        db = sqlite3.connect(s.data / "mue.db")
        db.execute("PRAGMA user_version=9999")
        db.close()
        with pytest.raises(RuntimeError, match="newer than this program"):
            s.start()
    finally:
        s.close()


# ---- crowds ----

def test_downloads_are_handed_to_the_proxy_when_asked(folder):
    s = Server(folder, "--accel", "/blobs")
    try:
        s.start()
        op = Operator(s)
        token = op.target("d")["securityToken"]
        dist, module = op.release("app", "1.0", {"a.bin": b"content"})
        op.assign(dist, "d")
        d = Device(s, "d", token=f"TargetToken {token}", http=True)
        answer = d.call("GET", f"/softwaremodules/{module}/artifacts/a.bin", expect=200)
        digest = hashlib.sha256(b"content").hexdigest()
        assert answer.headers["X-Accel-Redirect"] == f"/blobs/{digest[:2]}/{digest[2:]}" and answer.content == b""
        d.http = False
        assert d.call("GET", f"/softwaremodules/{module}/artifacts/a.bin", expect=200).content == b"content"
    finally:
        s.close()


def test_reports_of_many_devices_share_commits(server, operator):
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    devices = []
    for i in range(8):
        token = operator.target(f"d{i}")["securityToken"]
        devices.append((Device(server, f"d{i}", token=f"TargetToken {token}", http=True), operator.assign(dist, f"d{i}")))

    def counter(name):
        text = operator.call("GET", "/metrics", expect=200).text
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name + " ")))

    writes, commits = counter("mue_store_writes_total"), counter("mue_store_commits_total")
    threads = [threading.Thread(target=lambda d=d, a=a: [d.feedback(a, details=[str(n)]) for n in range(40)]) for d, a in devices]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    writes, commits = counter("mue_store_writes_total") - writes, counter("mue_store_commits_total") - commits
    print("writes", writes, "commits", commits)
    assert writes >= 320 and commits < writes


def test_a_crowd_is_sent_away_with_different_times_to_come_back(folder):
    """With 600 files the server takes 344 connections; near that it answers 503 with Retry-After, and recovers."""
    s = Server(folder, wrap=("prlimit", "--nofile=600:600"))
    crowd = []
    try:
        s.start()
        answers = []
        for _ in range(330):
            c = socket.create_connection(("127.0.0.1", s.http_port))
            c.settimeout(5)
            crowd.append(c)
        for c in crowd[-12:]:
            c.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            answers.append(c.recv(4096).decode())
        assert all(a.startswith("HTTP/1.1 503 ") for a in answers), answers[0]
        waits = [int(a.lower().split("retry-after: ")[1].split("\r")[0]) for a in answers]
        assert all(30 <= w < 300 for w in waits) and len(set(waits)) > 3
        for c in crowd:
            c.close()
        wait_for(lambda: requests.get(s.http_url + "/health", timeout=5).status_code == 200, 10)
    finally:
        for c in crowd:
            c.close()
        s.close()
