#!/usr/bin/python3
"""CPU per request of mue-server beside nginx: same machine, same certificates, same client, one run.

  poll, resumed     a new connection with a resumed TLS 1.3 session for each poll
  poll, keep-alive  many polls on one connection
  download          a 64 MiB artifact

nginx serves a static file with the body that mue-server's poll answers: the floor of what any server
must do.  One line a figure: name, value, unit, rival's value, ratio.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("MUE_BUILD", ROOT / "build"))
TICK = os.sysconf("SC_CLK_TCK")
ROUNDS = 5


def cpu(pid):
    """CPU seconds of a process and its children."""
    total = 0
    for p in [pid] + [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]:
        fields = pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Mue:
    def __init__(self, work):
        self.data = work / "server"
        self.proc = subprocess.Popen([BUILD / "server/mue-server", "--data", self.data, "--listen", "127.0.0.1:0"],
                                     stdout=subprocess.PIPE, stderr=open(work / "server.log", "w"), text=True)
        for line in self.proc.stdout:
            words = line.split()
            if words[0] == "admin-token":
                self.token = words[1]
            elif words[:2] == ["listening", "https"]:
                self.port = int(words[2].rsplit(":", 1)[1])
            elif words[0] == "ready":
                break
        self.ca = self.data / "ca/ca.crt"
        self.url = f"https://localhost:{self.port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(self.ca)
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method, path, **kw):
        r = self.http.request(method, self.url + path, **kw)
        if not r.ok:
            sys.exit(f"bench: {method} {path}: {r.status_code} {r.text[:300]}")
        return r.json() if r.content else None

    def enroll(self, work, name):
        key, csr, crt = (work / f"{name}.{x}" for x in ("key", "csr", "crt"))
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", csr)
        crt.write_text(self.call("POST", "/api/v1/enroll", json={"controllerId": name, "csr": csr.read_text()})["certificate"])
        return crt, key

    def artifact(self, path):
        """A software module with one artifact, assigned to the device; returns the DDI download path."""
        module = self.call("POST", "/rest/v1/softwaremodules", json=[{"name": "bench", "version": "1", "type": "os"}])[0]["id"]
        with open(path, "rb") as f:
            self.call("POST", f"/rest/v1/softwaremodules/{module}/artifacts", files={"file": (path.name, f)})
        dset = self.call("POST", "/rest/v1/distributionsets",
                         json=[{"name": "bench", "version": "1", "type": "mue", "modules": [{"id": module}]}])[0]["id"]
        self.call("POST", "/rest/v1/targets/bench-1/assignedDS", json=[{"id": dset, "type": "forced"}])
        return f"/DEFAULT/controller/v1/bench-1/softwaremodules/{module}/artifacts/{path.name}"


def nginx(work, server, body):
    port = socket.create_server(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    root = work / "www"
    root.mkdir()
    (root / "poll").write_bytes(body)
    os.symlink(work / "payload.bin", root / "payload.bin")
    conf = work / "nginx.conf"
    conf.write_text(f"""
user root; daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; default_type application/json; keepalive_requests 1000000;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{ listen 127.0.0.1:{number} ssl; root {root}; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {server.data}/tls/server.crt; ssl_certificate_key {server.data}/tls/server.key;
    ssl_client_certificate {server.ca}; ssl_verify_client optional; ssl_session_cache shared:s:10m;
    ssl_session_tickets on; }} }}
""")
    return number, subprocess.Popen(["/usr/sbin/nginx", "-c", conf, "-p", work], stderr=subprocess.DEVNULL)


def load(proc, port, path, connections, requests_each, crt, key, ca):
    before = cpu(proc.pid)
    out = subprocess.run([BUILD / "bench/tls_load", str(port), path, str(connections), str(requests_each), "resume",
                          crt, key, ca], check=True, capture_output=True, text=True).stdout
    done = dict(w.split("=") for w in out.split())
    return (cpu(proc.pid) - before) / int(done["ok"]), int(done["resumed"])


def figure(name, ours, theirs, unit, scale):
    a, b = sorted(ours)[len(ours) // 2] * scale, sorted(theirs)[len(theirs) // 2] * scale
    print(f"{name:28} mue {a:9.1f} {unit}   nginx {b:9.1f} {unit}   ratio {a / b:.2f}", flush=True)


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="mue-bench-"))
    server = Mue(work)
    rival = None
    try:
        crt, key = server.enroll(work, "bench-1")
        body = requests.get(f"{server.url}/DEFAULT/controller/v1/bench-1", cert=(str(crt), str(key)),
                            verify=str(server.ca)).content
        (work / "payload.bin").write_bytes(os.urandom(1 << 20) * 64)
        download = server.artifact(work / "payload.bin")
        port, rival = nginx(work, server, body)
        time.sleep(0.5)
        poll = "/DEFAULT/controller/v1/bench-1"
        for name, paths, connections, each, unit, scale in [
                ("poll, resumed TLS 1.3", (poll, "/poll"), 1500, 1, "us CPU", 1e6),
                ("poll, keep-alive", (poll, "/poll"), 2, 15000, "us CPU", 1e6),
                ("download 64 MiB", (download, "/payload.bin"), 2, 4, "ms CPU", 1e3)]:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                cost, resumed = load(server.proc, server.port, paths[0], connections, each, crt, key, server.ca)
                if resumed < connections - 1:
                    sys.exit(f"bench: mue-server resumed only {resumed} of {connections} sessions")
                ours.append(cost)
                theirs.append(load(rival, port, paths[1], connections, each, crt, key, server.ca)[0])
            figure(name, ours, theirs, unit, scale)
    finally:
        for p in (server.proc, rival):
            if p:
                p.send_signal(signal.SIGTERM)
                p.wait(10)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
