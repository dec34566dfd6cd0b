"""What the end-to-end tests share: a server in a temporary folder, operators, devices.

Executables come from $MUE_BUILD (default: build/ of this tree).  Everything is on loopback with
free ports; only processes that a test started are ended.
"""
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

import pytest
import requests

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUE_BUILD", SOURCE / "build"))


class Server:
    """One mue-server process on one data folder; may be stopped, killed and started again."""

    def __init__(self, folder, *args, wrap=()):
        self.wrap = wrap  # a command that executes the server
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.args = args
        self.process = None
        self.token = None
        self.log = open(self.folder / "server.log", "ab")
        self.https_port = self.http_port = 0

    def start(self):
        # The ports of the first start are kept, so that clients find the server again.
        command = [*self.wrap, BUILD / "server" / "mue-server", "--data", self.data,
                   "--listen", f"127.0.0.1:{self.https_port}", "--http", f"127.0.0.1:{self.http_port}",
                   *self.args]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            words = line.split()
            if words[0] == "admin-token":
                self.token = words[1]
            elif words[0] == "listening":
                port = int(words[2].rsplit(":", 1)[1])
                setattr(self, words[1] + "_port", port)
            elif words[0] == "ready":
                return self
        raise RuntimeError(f"mue-server ended with {self.process.wait()}: {self.log_text()}")

    def log_text(self):
        return (self.folder / "server.log").read_text()

    def stop(self):
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.log.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def http_url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ca(self):
        return self.data / "ca" / "ca.crt"


class Operator:
    """Calls the management API and /api/v1 with a token."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no CA but ours
        self.session.headers["Authorization"] = f"Bearer {server.token}"

    def call(self, method, path, expect=None, **kwargs):
        answer = self.session.request(method, self.server.http_url + path, timeout=30, **kwargs)
        if expect is not None:
            expected = expect if isinstance(expect, tuple) else (expect,)
            assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def get(self, path, **kwargs):
        return self.call("GET", path, expect=200, **kwargs).json()

    def post(self, path, json, expect=(200, 201)):
        return self.call("POST", path, expect=expect, json=json).json()

    def target(self, controller_id):
        """Makes a target; gives its description with the security token."""
        self.post("/rest/v1/targets", [{"controllerId": controller_id, "name": controller_id}])
        return self.get(f"/rest/v1/targets/{controller_id}")

    def upload(self, module, name, content, expect=201, **fields):
        return self.call("POST", f"/rest/v1/softwaremodules/{module}/artifacts", expect=expect,
                         files={"file": (name, content)}, data=fields)

    def release(self, name, version, files, kind="os"):
        """One module with its files in one distribution set; gives (set id, module id)."""
        module = self.post("/rest/v1/softwaremodules",
                           [{"name": name, "version": version, "type": kind}])[0]["id"]
        for filename, content in files.items():
            self.upload(module, filename, content)
        dist = self.post("/rest/v1/distributionsets",
                         [{"name": name, "version": version, "type": "mue",
                           "modules": [{"id": module}]}])[0]["id"]
        return dist, module

    def assign(self, dist, controller_id, **more):
        """Gives the id of the new action."""
        answer = self.post(f"/rest/v1/distributionsets/{dist}/assignedTargets",
                           [{"id": controller_id, **more}])
        return answer["assignedActions"][-1]["id"]

    def action(self, controller_id, action):
        return self.get(f"/rest/v1/targets/{controller_id}/actions/{action}")

    def history(self, controller_id, action):
        return self.get(f"/rest/v1/targets/{controller_id}/actions/{action}/status?sort=id:ASC&limit=1000")["content"]

    def why(self, controller_id, **query):
        return self.get(f"/api/v1/targets/{controller_id}/why", params=query)


class Device:
    """A device's side of DDI, with a client certificate or a token."""

    def __init__(self, server, controller_id, cert=None, token=None, http=False):
        self.server, self.id, self.cert = server, controller_id, cert
        self.http = http
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no CA but ours
        self.session.verify = str(server.ca)
        if cert:
            self.session.cert = tuple(str(x) for x in cert)
        if token:
            self.session.headers["Authorization"] = token

    @property
    def base(self):
        root = self.server.http_url if self.http else self.server.url
        return f"{root}/DEFAULT/controller/v1/{self.id}"

    def call(self, method, path="", expect=None, **kwargs):
        url = path if path.startswith("http") else self.base + path
        answer = self.session.request(method, url, timeout=30, **kwargs)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def poll(self):
        return self.call("GET", expect=200).json()

    def link(self, name):
        links = self.poll()["_links"]
        return links[name]["href"] if name in links else None

    def deployment(self, expect=200):
        return self.call("GET", self.link("deploymentBase"), expect=expect).json()

    def feedback(self, action, execution="proceeding", finished="none", details=None, kind="deploymentBase",
                 expect=200, **status):
        body = {"id": str(action), "status": {"execution": execution, "result": {"finished": finished},
                                              "details": details or [], **status}}
        return self.call("POST", f"/{kind}/{action}/feedback", expect=expect, json=body)

    def attributes(self, data, mode=None, expect=200):
        body = {"data": data, **({"mode": mode} if mode else {})}
        return self.call("PUT", "/configData", expect=expect, json=body)


def make_key(folder, name="device"):
    """A P-256 key and a certificate request for it, made by OpenSSL."""
    key, csr = folder / f"{name}.key", folder / f"{name}.csr"
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-subj", "/CN=whatever", "-keyout", key, "-out", csr],
                   check=True, capture_output=True)
    return key, csr


def enroll(operator, folder, controller_id):
    """Gives (certificate file, key file)."""
    key, csr = make_key(folder, controller_id)
    answer = operator.post("/api/v1/enroll", {"controllerId": controller_id, "csr": csr.read_text()})
    cert = folder / f"{controller_id}.crt"
    cert.write_text(answer["certificate"])
    return cert, key


def wait_for(what, seconds=30, step=0.1):
    """Calls what() until it gives something true; that is the result."""
    end = time.monotonic() + seconds
    while True:
        result = what()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(step)


@pytest.fixture
def folder():
    """A short path, also fit for sockets; removed afterwards."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="mue-e2e-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(folder):
    s = Server(folder, "--poll", "1").start()
    yield s
    s.close()


@pytest.fixture
def operator(server):
    return Operator(server)


@pytest.fixture
def device(server, operator, folder):
    """dev1 with a client certificate."""
    return Device(server, "dev1", cert=enroll(operator, folder, "dev1"))


def tls_context(server, cert=None, version=None):
    context = ssl.create_default_context(cafile=server.ca)
    if cert:
        context.load_cert_chain(*cert)
    if version:
        context.minimum_version = context.maximum_version = version
    return context
