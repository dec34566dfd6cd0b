"""DDI v1 over mutual TLS, as hawkBit's contract has it (hawkbit-ddi-openapi.json)."""
import hashlib
import http.client
import json
import re
import socket
import ssl

import pytest
import requests

from conftest import Device, enroll, tls_context, wait_for

IMAGE = bytes(range(256)) * 800  # 204800 bytes


@pytest.fixture
def assigned(operator, device):
    """An action with one artifact for dev1: (action, set, module)."""
    dist, module = operator.release("app", "1.0", {"image.bin": IMAGE})
    return operator.assign(dist, "dev1"), dist, module


def status_words(operator, action):
    return [x["type"] for x in operator.history("dev1", action)]


# ---- poll ----

def test_first_poll_asks_for_attributes_and_says_when_to_come_back(device):
    answer = device.poll()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", answer["config"]["polling"]["sleep"])
    assert answer["_links"] == {"configData": {"href": device.base + "/configData"}}
    device.attributes({"mue.version": "1"})
    assert device.poll()["_links"] == {}


def test_poll_interval_is_jittered_and_set_by_the_server(operator, device, server):
    operator.call("PUT", "/rest/v1/system/configs/pollingTime", json={"value": "01:00:00"}, expect=(200, 204))
    def seconds():
        h, m, s = map(int, device.poll()["config"]["polling"]["sleep"].split(":"))
        return h * 3600 + m * 60 + s
    values = {seconds() for _ in range(20)}
    assert len(values) > 5
    assert 2880 <= min(values) and max(values) <= 4320


def test_poll_with_the_known_etag_gives_304(device):
    tag = device.call("GET", expect=200).headers["ETag"]
    assert device.call("GET", headers={"If-None-Match": tag}, expect=304).content == b""
    device.attributes({"a": "b"})
    device.call("GET", headers={"If-None-Match": tag}, expect=200)


def test_links_are_built_from_host_and_forwarded_headers(device, server):
    href = lambda **h: device.call("GET", expect=200, headers=h).json()["_links"]["configData"]["href"]
    assert href(Host="updates.example:99").startswith("https://updates.example:99/DEFAULT/")
    assert href(**{"X-Forwarded-Proto": "http", "X-Forwarded-Host": "front.example"}).startswith(
        "http://front.example/DEFAULT/")
    assert href(**{"X-Forwarded-Host": "front.example", "X-Forwarded-Port": "444"}).startswith(
        "https://front.example:444/DEFAULT/")
    assert "evil" not in href(**{"X-Forwarded-Host": 'x"},"evil":{"'})


def test_other_tenant_and_unknown_target_do_not_exist(device, server, operator):
    for path in ("/OTHER/controller/v1/dev1", "/default/controller/v1/dev1"):
        device.call("GET", server.url + path, expect=404)
    nobody = Device(server, "nobody", token=f"Bearer {server.token}")
    assert nobody.call("GET", expect=404).json()["errorCode"] == "hawkbit.server.error.repo.entitiyNotFound"


# ---- deployment ----

def test_deployment_lists_artifacts_with_hashes_and_links(device, operator, assigned):
    action, _, module = assigned
    body = device.deployment()
    assert body["id"] == str(action)
    deployment = body["deployment"]
    assert (deployment["download"], deployment["update"]) == ("forced", "forced")
    (chunk,) = deployment["chunks"]
    assert (chunk["part"], chunk["name"], chunk["version"]) == ("os", "app", "1.0")
    (artifact,) = chunk["artifacts"]
    assert artifact["filename"] == "image.bin" and artifact["size"] == len(IMAGE)
    assert artifact["hashes"] == {n: hashlib.new(n, IMAGE).hexdigest() for n in ("sha1", "md5", "sha256")}
    for link in ("download", "download-http", "md5sum", "md5sum-http"):
        assert artifact["_links"][link]["href"].startswith(device.base + f"/softwaremodules/{module}/artifacts/image.bin")
    assert "retrieved" in status_words(operator, action)


def test_zephyr_gets_a_small_plain_answer(operator, device):
    dist, _ = operator.release("app", "1.0", {"zephyr.bin": IMAGE}, kind="application")
    operator.assign(dist, "dev1")
    text = device.call("GET", device.link("deploymentBase"), expect=200).text
    assert len(text) <= 1100
    assert json.loads(text)["deployment"]["chunks"][0]["part"] == "bApp"
    path = json.loads(text)["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download-http"]["href"]
    assert len(path.split("/", 3)[3]) + 1 <= 199
    assert len(device.link("deploymentBase").split("/v1/dev1/")[1]) <= 49


@pytest.mark.parametrize("kind,download,update", [
    ("soft", "attempt", "attempt"), ("forced", "forced", "forced"),
    ("timeforced", "attempt", "attempt"), ("downloadonly", "forced", "skip")])
def test_action_types_tell_how_to_download_and_update(operator, device, kind, download, update):
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    more = {"type": kind, "forcetime": 32503680000000} if kind == "timeforced" else {"type": kind}
    operator.assign(dist, "dev1", **more)
    deployment = device.deployment()["deployment"]
    assert (deployment["download"], deployment["update"]) == (download, update)


def test_outside_the_maintenance_window_a_device_fetches_but_does_not_install(operator, device):
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    operator.assign(dist, "dev1", maintenanceWindow={"schedule": "0 0 3 1 1 ? 2089", "duration": "00:10:00",
                                                     "timezone": "+00:00"})
    deployment = device.deployment()["deployment"]
    assert deployment["maintenanceWindow"] == "unavailable"
    assert (deployment["download"], deployment["update"]) == ("forced", "skip")
    why = operator.why("dev1")
    device.poll()


def test_message_history_comes_newest_first(device, assigned):
    action = assigned[0]
    device.deployment()
    for text in ("one", "two", "three"):
        device.feedback(action, details=[text])
    url = device.link("deploymentBase")
    history = device.call("GET", url + "&actionHistory=2", expect=200).json()["actionHistory"]
    assert history["messages"] == ["three", "two"] and history["status"] == "RUNNING"
    assert len(device.call("GET", url + "&actionHistory=-1", expect=200).json()["actionHistory"]["messages"]) >= 3
    assert "actionHistory" not in device.call("GET", url, expect=200).json()
    device.call("GET", url + "&actionHistory=x", expect=400)


def test_after_success_the_installed_base_is_offered(device, operator, assigned):
    action, dist, _ = assigned
    device.attributes({"a": "b"})
    device.feedback(action, "closed", "success")
    links = device.poll()["_links"]
    assert set(links) == {"installedBase", "configData"}
    body = device.call("GET", links["installedBase"]["href"], expect=200).json()
    assert body["id"] == str(action) and body["deployment"]["chunks"][0]["name"] == "app"
    device.call("GET", f"/deploymentBase/{action}", expect=404)
    assert operator.get("/rest/v1/targets/dev1")["updateStatus"] == "in_sync"


def test_a_device_tells_what_it_runs_already(device, operator):
    operator.release("app", "1.0", {"a": b"a"})
    device.call("PUT", "/installedBase", json={"name": "app", "version": "1.0"}, expect=200)
    assert operator.get("/rest/v1/targets/dev1/installedDS")["name"] == "app"
    device.call("PUT", "/installedBase", json={"name": "app", "version": "9"}, expect=404)
    device.call("PUT", "/installedBase", json={"name": "app"}, expect=400)


def test_another_device_sees_nothing_of_it(server, operator, folder, assigned, device):
    action, _, module = assigned
    other = Device(server, "dev2", cert=enroll(operator, folder, "dev2"))
    assert other.link("deploymentBase") is None
    other.call("GET", f"/deploymentBase/{action}", expect=404)
    other.feedback(action, "closed", "success", expect=404)
    other.call("GET", f"/softwaremodules/{module}/artifacts", expect=404)
    other.call("GET", f"/softwaremodules/{module}/artifacts/image.bin", expect=404)
    other.call("GET", f"{device.base}/deploymentBase/{action}", expect=403)


# ---- feedback ----

def test_feedback_takes_ids_as_number_text_or_none(device, operator, assigned):
    action = assigned[0]
    status = {"execution": "proceeding", "result": {"finished": "none", "progress": {"cnt": 1, "of": 5}}}
    for i, extra in enumerate(({"id": action}, {"id": str(action)}, {}, {"time": "20260101T101010"},
                               {"timestamp": 1627997501890})):
        answer = device.call("POST", f"/deploymentBase/{action}/feedback", expect=200,
                             json={**extra, "status": {**status, "code": i}})
        assert answer.content == b""
    assert len([x for x in operator.history("dev1", action) if x["type"] in ("running", "proceeding")]) >= 5


def test_the_same_report_again_is_stored_once(device, operator, assigned):
    action = assigned[0]
    for _ in range(3):
        device.feedback(action, details=["half way"], code=50)
    before = len(operator.history("dev1", action))
    device.feedback(action, details=["half way"], code=50)
    assert len(operator.history("dev1", action)) == before
    for _ in range(3):
        device.feedback(action, "closed", "success", details=["done"])
    assert status_words(operator, action).count("finished") == 1


def test_a_report_after_the_end_is_gone(device, assigned):
    action = assigned[0]
    device.feedback(action, "closed", "failure", details=["flash broken"])
    answer = device.feedback(action, "closed", "success", expect=410)
    assert answer.json()["info"]["verdict"] == "MUE_ECANCELLED"


def test_failure_is_kept_with_its_reason(device, operator, assigned):
    action = assigned[0]
    device.feedback(action, "closed", "failure", details=["no space", "flash broken"], code=77)
    assert operator.get("/rest/v1/targets/dev1")["updateStatus"] == "error"
    last = operator.history("dev1", action)[-1]
    assert last["type"] == "error" and last["messages"] == ["no space", "flash broken"] and last["code"] == 77
    why = operator.why("dev1")
    assert not why["reached"] and "flash broken" in why["why"]
    assert device.link("deploymentBase") is None


def cbor(value):
    """CBOR as Jackson's clients write it: maps and lists of indefinite length."""
    if isinstance(value, dict):
        return b"\xbf" + b"".join(cbor(k) + cbor(v) for k, v in value.items()) + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(cbor, value)) + b"\xff"
    text = value.encode()
    assert len(text) < 24
    return bytes([0x60 + len(text)]) + text


def test_devices_may_speak_cbor(device, operator, assigned):
    action = assigned[0]
    answer = device.call("GET", headers={"Accept": "application/cbor"}, expect=200)
    assert answer.headers["Content-Type"] == "application/cbor"
    assert answer.content[0] == 0xa2 and cbor("deploymentBase") in answer.content
    as_cbor = {"Content-Type": "application/cbor", "Accept": "application/cbor"}
    report = {"id": "1", "status": {"execution": "proceeding", "result": {"finished": "none"}, "details": ["in CBOR"]}}
    device.call("POST", f"/deploymentBase/{action}/feedback", headers=as_cbor, data=cbor(report), expect=200)
    assert operator.history(device.id, action)[-1]["messages"] == ["in CBOR"]
    device.call("PUT", "/configData", headers=as_cbor, data=cbor({"data": {"serial": "17"}}), expect=200)
    assert operator.get(f"/rest/v1/targets/{device.id}/attributes")["serial"] == "17"
    refused = device.call("PUT", "/configData", headers=as_cbor, data=b"\xbf\x64data", expect=400)
    assert refused.headers["Content-Type"] == "application/cbor" and cbor("MUE_ETRUNC") in refused.content
    assert device.call("GET", headers={"Accept": "application/json, application/cbor"}).json()["_links"]


@pytest.mark.parametrize("body", [
    {}, [], {"status": {}}, {"status": {"execution": "closed"}},
    {"status": {"execution": "dancing", "result": {"finished": "none"}}},
    {"status": {"execution": "closed", "result": {"finished": "maybe"}}},
    {"status": {"execution": "closed", "result": {"finished": "success"}, "details": [1]}},
    {"status": {"execution": "closed", "result": {"finished": "success"}, "code": "x"}}])
def test_malformed_feedback_changes_nothing(device, operator, assigned, body):
    action = assigned[0]
    before = operator.history("dev1", action)
    device.call("POST", f"/deploymentBase/{action}/feedback", json=body, expect=400)
    assert operator.history("dev1", action) == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"status":{"execution":"closed","execution":"closed",'
                                  b'"result":{"finished":"success"}}}', b"[" * 5000],
                         ids=["empty", "cut", "no text", "key twice", "deep"])
def test_what_is_no_json_is_refused(device, operator, assigned, body):
    device.call("POST", f"/deploymentBase/{assigned[0]}/feedback", data=body, expect=400)


def test_long_logs_are_clipped_not_refused(device, operator, assigned):
    action = assigned[0]
    device.feedback(action, details=[f"line {i} " + "é" * 600 for i in range(150)])
    last = operator.history("dev1", action)[-1]
    assert len(last["messages"]) == 150
    assert all(len(m.encode()) <= 1000 for m in last["messages"])
    device.call("POST", f"/deploymentBase/{action}/feedback", data=b" " * (1024 * 1024 + 1), expect=413)


# ---- confirmation ----

def test_confirmation_is_asked_given_and_denied(device, operator):
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    action = operator.assign(dist, "dev1", confirmationRequired=True)
    link = device.link("confirmationBase")
    assert link and device.link("deploymentBase") is None
    assert device.call("GET", link, expect=200).json()["confirmation"]["chunks"][0]["name"] == "app"
    device.call("GET", f"/deploymentBase/{action}", expect=404)
    assert "confirm" in operator.why("dev1")["why"]
    url = f"/confirmationBase/{action}/feedback"
    device.call("POST", url, json={"confirmation": "perhaps"}, expect=400)
    device.call("POST", url, json={"confirmation": "denied", "details": ["not now"]}, expect=200)
    assert device.link("confirmationBase")
    device.call("POST", url, json={"confirmation": "confirmed"}, expect=200)
    assert device.link("deploymentBase") and device.link("confirmationBase") is None


def test_auto_confirm_is_switched_by_the_device(device, operator):
    dist, _ = operator.release("app", "1.0", {"a": b"a"})
    operator.assign(dist, "dev1", confirmationRequired=True)
    base = device.call("GET", "/confirmationBase", expect=200).json()
    assert base["autoConfirm"] == {"active": False} and "activateAutoConfirm" in base["_links"]
    device.call("POST", "/confirmationBase/activateAutoConfirm", json={"initiator": "eve", "remark": "lab"}, expect=200)
    base = device.call("GET", "/confirmationBase", expect=200).json()
    assert base["autoConfirm"]["active"] and base["autoConfirm"]["initiator"] == "eve"
    assert "deactivateAutoConfirm" in base["_links"]
    assert device.link("deploymentBase"), "what waited is confirmed"
    device.call("POST", "/confirmationBase/deactivateAutoConfirm", expect=200)
    device.call("POST", "/confirmationBase/deactivateAutoConfirm", expect=200)
    assert device.call("GET", "/confirmationBase", expect=200).json()["autoConfirm"] == {"active": False}


# ---- cancel ----

def cancel(operator, action, **kw):
    return operator.call("DELETE", f"/rest/v1/targets/dev1/actions/{action}", expect=200, **kw)


def test_cancel_is_offered_and_acknowledged(device, operator, assigned):
    action = assigned[0]
    device.deployment()
    cancel(operator, action)
    link = device.link("cancelAction")
    assert link and device.link("deploymentBase") is None
    assert device.call("GET", link, expect=200).json() == {"id": str(action), "cancelAction": {"stopId": str(action)}}
    device.feedback(action, "closed", "success", kind="cancelAction")  # as SWUpdate says it
    assert operator.history("dev1", action)[-1]["type"] == "canceled"
    assert device.link("cancelAction") is None
    device.feedback(action, "closed", "success", kind="cancelAction")
    device.call("GET", f"/cancelAction/{action}", expect=404)


def test_a_device_may_refuse_to_stop_and_go_on(device, operator, assigned):
    action = assigned[0]
    device.deployment()
    cancel(operator, action)
    device.feedback(action, "rejected", "none", kind="cancelAction", details=["already flashing"])
    assert device.link("cancelAction") is None and device.link("deploymentBase")
    device.feedback(action, "closed", "success")
    assert operator.history("dev1", action)[-1]["type"] == "finished"


# ---- configData ----

def test_attributes_merge_replace_and_remove(device, operator):
    get = lambda: operator.get("/rest/v1/targets/dev1/attributes")
    device.attributes({"a": "1", "b": "2"})
    device.attributes({"b": "3", "c": "4"})
    assert get() == {"a": "1", "b": "3", "c": "4"}
    device.attributes({"a": ""}, mode="remove")
    assert get() == {"b": "3", "c": "4"}
    device.attributes({"z": "9"}, mode="replace")
    assert get() == {"z": "9"}
    for data, mode in (({"a": 1}, None), ({"": "x"}, None), ({"k" * 200: "x"}, None), ({"a": "x" * 2000}, None),
                       ({"a": "1"}, "nonsense"), ({str(i): "x" for i in range(501)}, "merge"), (["a"], None)):
        device.attributes(data, mode=mode, expect=400)
    assert get() == {"z": "9"}


# ---- download ----

@pytest.fixture
def artifact(device, assigned):
    return device.deployment()["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"]["href"]


def test_download_whole_and_in_parts(device, artifact):
    whole = device.call("GET", artifact, expect=200)
    assert whole.content == IMAGE and whole.headers["Accept-Ranges"] == "bytes"
    tag = whole.headers["ETag"]
    assert tag == f'"{hashlib.sha256(IMAGE).hexdigest()}"'
    part = device.call("GET", artifact, headers={"Range": "bytes=100-299"}, expect=206)
    assert part.content == IMAGE[100:300]
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(IMAGE)}"
    assert device.call("GET", artifact, headers={"Range": "bytes=-5"}, expect=206).content == IMAGE[-5:]
    rest = device.call("GET", artifact, headers={"Range": "bytes=204000-", "If-Range": tag}, expect=206)
    assert rest.content == IMAGE[204000:]
    device.call("GET", artifact, headers={"Range": "bytes=204000-", "If-Range": '"old"'}, expect=200)


def test_a_file_that_is_whole_already_gives_416(device, artifact):
    answer = device.call("GET", artifact, headers={"Range": f"bytes={len(IMAGE)}-"}, expect=416)
    assert answer.headers["Content-Range"] == f"bytes */{len(IMAGE)}"


def test_head_tells_the_size_without_the_bytes(device, artifact):
    head = device.call("HEAD", artifact, expect=200)
    assert head.headers["Content-Length"] == str(len(IMAGE)) and head.content == b""


def test_md5sum_and_list(device, artifact, assigned):
    line = device.call("GET", artifact + ".MD5SUM", expect=200).text
    assert line == f"{hashlib.md5(IMAGE).hexdigest()}  image.bin\n"
    listed = device.call("GET", f"/softwaremodules/{assigned[2]}/artifacts", expect=200).json()
    assert [x["filename"] for x in listed] == ["image.bin"]
    device.call("GET", f"/softwaremodules/{assigned[2]}/artifacts/other.bin", expect=404)


def test_names_with_blanks_and_umlauts_can_be_fetched(device, operator):
    name = "größe 1+1 %25.bin"
    dist, _ = operator.release("app", "1.0", {name: b"content"})
    operator.assign(dist, "dev1")
    artifact = device.deployment()["deployment"]["chunks"][0]["artifacts"][0]
    assert artifact["filename"] == name
    assert device.call("GET", artifact["_links"]["download"]["href"], expect=200).content == b"content"
    assert device.call("GET", artifact["_links"]["md5sum"]["href"], expect=200)


# ---- HTTP ----

def raw(server, device, request, context=None):
    context = context or tls_context(server, device.cert)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", server.https_port)),
                             server_hostname="127.0.0.1") as s:
        s.sendall(request)
        s.settimeout(10)
        data = b""
        while chunk := s.recv(65536):
            data += chunk
        return data


def test_expect_100_continue_is_answered_before_the_body(server, device):
    context = tls_context(server, device.cert)
    body = b'{"data":{"a":"b"}}'
    with context.wrap_socket(socket.create_connection(("127.0.0.1", server.https_port)),
                             server_hostname="127.0.0.1") as s:
        s.settimeout(10)
        s.sendall(b"PUT /DEFAULT/controller/v1/dev1/configData HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                  b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert s.recv(1000).startswith(b"HTTP/1.1 100 ")
        s.sendall(body)
        assert s.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_expect_100_continue_is_refused_without_taking_the_body(server):
    data = raw(server, None, b"PUT /DEFAULT/controller/v1/dev1/configData HTTP/1.1\r\nHost: x\r\n"
               b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
               context=tls_context(server))
    assert data.startswith(b"HTTP/1.1 401 ")


def test_chunked_bodies_are_taken(server, device, operator):
    data = raw(server, device, b"PUT /DEFAULT/controller/v1/dev1/configData HTTP/1.1\r\nHost: x\r\n"
               b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
               b'9\r\n{"data":{\r\n9\r\n"a":"b"}}\r\n0\r\n\r\n')
    assert data.startswith(b"HTTP/1.1 200 ")
    assert operator.get("/rest/v1/targets/dev1/attributes") == {"a": "b"}


def test_methods_that_are_not_there_give_405(device):
    device.call("DELETE", "/configData", expect=405)
    device.call("POST", "", expect=405)
    device.call("GET", "/nothing/here/at/all", expect=404)


# ---- who is asking ----

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_revocation_holds_on_resumed_sessions_and_open_connections(server, operator, device, version):
    context = tls_context(server, device.cert, version)
    request = b"GET /DEFAULT/controller/v1/dev1 HTTP/1.1\r\nHost: x\r\n%s\r\n"

    def connect(session=None):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", server.https_port)),
                                server_hostname="127.0.0.1", session=session)
        s.settimeout(10)
        return s

    def ask(s, more=b""):
        s.sendall(request % more)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        answer.read()
        return answer.status

    first = connect()
    assert ask(first) == 200
    second = connect(first.session)
    assert second.session_reused, "the session is resumed"
    assert ask(second) == 200
    assert operator.call("DELETE", "/api/v1/targets/dev1/certificate", expect=200).json() == {"revoked": 1}
    assert ask(first) == 401, "an open connection does not outlive the revocation"
    third = connect(second.session)
    assert third.session_reused and ask(third) == 401, "nor does a resumed session"
    assert ask(connect()) == 401
    assert operator.call("DELETE", "/api/v1/targets/dev1/certificate", expect=200).json() == {"revoked": 0}


def test_old_tls_is_refused(server, device):
    context = tls_context(server, device.cert)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        raw(server, device, b"GET / HTTP/1.0\r\n\r\n", context)


def test_a_certificate_of_another_ca_is_refused(server, operator, folder, device):
    import subprocess
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=dev1", "-keyout", folder / "x.key", "-out", folder / "x.crt"],
                   check=True, capture_output=True)
    stranger = Device(server, "dev1", cert=(folder / "x.crt", folder / "x.key"))
    # GnuTLS's clients pick no certificate when none fits the CA names that the server sends.
    stranger.call("GET", expect=401)


def test_the_server_certificate_cannot_act_as_a_device(server, device):
    own = Device(server, "localhost", cert=(server.data / "tls/server.crt", server.data / "tls/server.key"))
    own.call("GET", expect=401)


def test_target_token_is_for_one_device(server, operator):
    token = operator.target("tok1")["securityToken"]
    operator.target("tok2")
    assert Device(server, "tok1", token=f"TargetToken {token}").poll()
    for controller_id, header in (("tok2", f"TargetToken {token}"), ("tok1", "TargetToken x"), ("tok1", "TargetToken "),
                                  ("tok1", f"TargetToken {token}x"), ("tok1", None), ("tok1", "Digest x")):
        Device(server, controller_id, token=header).call("GET", expect=401)
    operator.call("PUT", "/rest/v1/system/configs/authentication.targettoken.enabled", json={"value": False},
                  expect=(200, 204))
    Device(server, "tok1", token=f"TargetToken {token}").call("GET", expect=401)


def test_gateway_token_speaks_for_all_and_brings_new_devices(server, operator):
    token = operator.post("/api/v1/tokens", {"name": "gw", "kind": "gateway"})["token"]
    new = Device(server, "new-one", token=f"GatewayToken {token}")
    assert new.poll()
    assert operator.get("/rest/v1/targets/new-one")["controllerId"] == "new-one"
    Device(server, "new-two", token="GatewayToken nonsense").call("GET", expect=401)
    answer = requests.get(server.http_url + "/rest/v1/targets", headers={"Authorization": f"GatewayToken {token}"}, timeout=10)
    assert answer.status_code == 403, "a gateway is no operator"
    operator.call("DELETE", "/api/v1/tokens/gw", expect=200)
    new.call("GET", expect=401)


def test_devices_are_no_operators(server, device):
    device.call("GET", server.url + "/rest/v1/targets", expect=403)
    device.call("GET", server.url + "/api/v1/trust", expect=403)
    device.call("POST", server.url + "/api/v1/enroll", json={}, expect=403)


def test_a_deleted_target_does_not_come_back_with_its_certificate(device, operator):
    assert device.poll()
    operator.call("DELETE", "/rest/v1/targets/dev1", expect=200)
    device.call("GET", expect=401)
    operator.call("GET", "/rest/v1/targets/dev1", expect=404)


def test_last_seen_reaches_the_operator(device, operator, server):
    device.poll()
    server.stop()
    server.start()
    seen = operator.get("/rest/v1/targets/dev1")
    assert seen.get("lastControllerRequestAt", 0) > 1600000000000
    assert seen["updateStatus"] == "registered"
