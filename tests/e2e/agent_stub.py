"""A DDI server that misbehaves on demand: what rival servers and broken networks do to the agent.
Plain HTTP on loopback; the real server is the subject of test_agent_road.py."""
import http.server
import json
import re
import threading
import time


class Stub:
    """One device's view of a server.  `faults`: {file name: [fault, ...]}, consumed one a request;
    a fault is a status, ("retry-after", seconds), ("cut", bytes), ("hold", bytes), "no-range", "flip" or "longer".
    A held download stops after so many bytes until go_on() is called: what a test does meanwhile does happen in the
    middle of the download, however slow the machine is."""

    def __init__(self, sleep="00:00:01"):
        self.sleep, self.action, self.files = sleep, None, {}
        self.deployment, self.cancel, self.confirmation = {}, None, None
        self.faults, self.requests, self.feedback, self.attributes = {}, [], [], {}
        self.down, self.release = False, threading.Event()
        self.times = []  # of self.requests
        self.id_as_number, self.link_url = False, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.get(self)

            def do_POST(self):
                outer.post(self)

            do_PUT = do_POST

        class Threads(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that was killed

        self.http = Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.go_on()
        self.http.shutdown()
        self.http.server_close()

    def deploy(self, action, release, **how):
        """Offers a release: its envelope and payloads as artifacts of one module."""
        self.files = {p.name: p.read_bytes() for p in release.files.iterdir()}
        self.deployment = {"download": "forced", "update": "forced", **how}
        self.action, self.cancel = action, None

    def links(self):
        base = f"{self.link_url or self.url}/DEFAULT/controller/v1/x"
        if self.cancel:
            return {"cancelAction": {"href": f"{base}/cancelAction/{self.cancel[0]}"}}
        if self.confirmation:
            return {"confirmationBase": {"href": f"{base}/confirmationBase/{self.action}"}}
        return {"deploymentBase": {"href": f"{base}/deploymentBase/{self.action}?c=1"}} if self.action else {}

    def answer(self, path):
        if re.fullmatch(r"/DEFAULT/controller/v1/[^/]+", path):
            return {"config": {"polling": {"sleep": self.sleep}}, "_links": self.links()}
        if "/cancelAction/" in path:
            return {"id": self.cancel[0], "cancelAction": {"stopId": self.cancel[1]}}
        artifacts = [{"filename": n, "hashes": {"sha1": "0" * 40}, "size": len(b),
                      "_links": {"download-http": {"href": f"{self.url}/dl/{n}"}}} for n, b in self.files.items()]
        body = {**self.deployment, "chunks": [{"part": "os", "version": "1", "name": "n", "artifacts": artifacts}]}
        name = "confirmation" if "/confirmationBase/" in path else "deployment"
        return {"id": int(self.action) if self.id_as_number else str(self.action), name: body}

    def send(self, h, status, body=b"", headers=()):
        h.send_response(status)
        for name, value in headers:
            h.send_header(name, value)
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)

    def get(self, h):
        path = h.path.split("?")[0]
        self.times.append(time.monotonic())
        self.requests.append(("GET", path, h.headers.get("Range")))
        if self.down:
            return self.send(h, 503, headers=[("Retry-After", "1")])
        if path.startswith("/dl/"):
            return self.download(h, path[4:])
        return self.send(h, 200, json.dumps(self.answer(path)).encode(), [("Content-Type", "application/hal+json")])

    def download(self, h, name):
        data, fault = self.files[name], None
        if self.faults.get(name):
            fault = self.faults[name].pop(0)
        if isinstance(fault, int):
            return self.send(h, fault)
        if isinstance(fault, tuple) and fault[0] == "retry-after":
            return self.send(h, 503, headers=[("Retry-After", str(fault[1]))])
        begin, status, headers = 0, 200, []
        m = re.match(r"bytes=(\d+)-", h.headers.get("Range") or "")
        if m and fault != "no-range":
            begin, status = int(m.group(1)), 206
            headers = [("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")]
        body = data[begin:]
        if fault == "flip":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault == "longer":
            return self.send(h, status, body + b"x", headers)
        h.send_response(status)
        for k, v in headers:
            h.send_header(k, v)
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        if isinstance(fault, tuple) and fault[0] == "cut":
            body = body[:fault[1]]
        if isinstance(fault, tuple) and fault[0] == "hold":
            h.wfile.write(body[:fault[1]])
            self.release.wait()
            body = body[fault[1]:]
        h.wfile.write(body)
        h.close_connection = isinstance(fault, tuple)

    def go_on(self):
        """Ends every hold, also of downloads to come."""
        self.release.set()

    def post(self, h):
        path = h.path
        body = json.loads(h.rfile.read(int(h.headers["Content-Length"])))
        self.times.append(time.monotonic())
        self.requests.append((h.command, path, None))
        if self.down:
            return self.send(h, 503, headers=[("Retry-After", "1")])
        if path.endswith("/configData"):
            self.attributes.update(body["data"])
        else:
            self.feedback.append((path.split("/controller/v1/")[1].split("/", 1)[1], body))
            self.react(path, body)
        return self.send(h, 200)

    def react(self, path, body):
        """What a server does on a report: an ended action is offered no more."""
        if "/cancelAction/" in path:
            if body["status"]["execution"] == "closed":
                self.action = None
            self.cancel = None
        elif "/confirmationBase/" in path:
            self.confirmation = None
            if body["confirmation"] == "denied":
                self.action = None
        elif body["status"]["execution"] == "closed":
            self.action = None

    def ends(self, action):
        """Reports that closed the action: [(finished, text)]."""
        return [(b["status"]["result"]["finished"], " ".join(b["status"].get("details", [])))
                for p, b in self.feedback
                if p == f"deploymentBase/{action}/feedback" and b["status"]["execution"] == "closed"]

    def texts(self, action):
        return [" ".join(b["status"].get("details", [])) for p, b in self.feedback
                if p == f"deploymentBase/{action}/feedback"]

    def downloads(self, suffix=".squashfs"):
        return [r for r in self.requests if r[0] == "GET" and r[1].startswith("/dl/") and not r[1].endswith(".suit")]
