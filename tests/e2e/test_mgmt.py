"""The management API against hawkBit's contract: every path of it, each with a success and an error, every
answer held against its schema; then the behaviours that clients rely on."""
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import tempfile

import pytest
import requests

from conftest import SOURCE, Device, Operator, Server, wait_for

SHARED = pathlib.Path(os.environ.get("MUE_SHARED", SOURCE.parent / "shared"))
CONTRACT = SHARED / "contracts" / "hawkbit-mgmt-openapi.json"
COUNTER = itertools.count(1)


@pytest.fixture(scope="module")
def site():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mue-e2e-"))
    server = Server(folder, "--poll", "1").start()
    yield server
    server.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def op(site):
    return Operator(site)


# ---- the contract, walked ----

class World:
    """Fresh entities for one operation, so that no operation sees what another one left."""

    def __init__(self, op, approval=False):
        self.op, self.n = op, next(COUNTER)
        n = self.n
        self.target = f"t{n}"
        self.ids = {"targetId": self.target, "controllerId": self.target, "metadataKey": "known",
                    "keyName": "pollingTime"}
        op.call("PUT", "/rest/v1/system/configs/rollout.approval.enabled", json={"value": approval}, expect=200)
        one = lambda path, **body: op.post("/rest/v1/" + path, [body])[0]["id"]
        module_type = one("softwaremoduletypes", key=f"k{n}", name=f"k{n}")
        self.free_module_type = one("softwaremoduletypes", key=f"l{n}", name=f"l{n}")
        set_type = one("distributionsettypes", key=f"k{n}", name=f"k{n}", mandatorymodules=[{"id": module_type}],
                       optionalmodules=[{"id": self.free_module_type}])
        target_type = one("targettypes", key=f"k{n}", name=f"k{n}", compatibledistributionsettypes=[{"id": set_type}])
        op.target(self.target)
        module = one("softwaremodules", name=f"m{n}", version="1", type=f"k{n}")
        artifact = op.upload(module, "file.bin", b"content").json()["id"]
        self.free_module = one("softwaremodules", name=f"f{n}", version="1", type=f"l{n}")
        dist = one("distributionsets", name=f"d{n}", version="1", type=f"k{n}", modules=[{"id": module}])
        for path in (f"targets/{self.target}", f"softwaremodules/{module}", f"distributionsets/{dist}"):
            op.post(f"/rest/v1/{path}/metadata", [{"key": "known", "value": "1"}])
        tag = one("targettags", name=f"tag{n}")
        set_tag = one("distributionsettags", name=f"tag{n}")
        op.call("POST", f"/rest/v1/targettags/{tag}/assigned/{self.target}", expect=200)
        op.call("POST", f"/rest/v1/distributionsettags/{set_tag}/assigned/{dist}", expect=200)
        filter_id = op.post("/rest/v1/targetfilters", {"name": f"f{n}", "query": "id==nobody"})["id"]
        op.post(f"/rest/v1/targetfilters/{filter_id}/autoAssignDS", {"id": dist})
        self.ids.update(targetTypeId=target_type, targetTagId=tag, distributionsetTagId=set_tag, distributionsetId=dist,
                        distributionSetId=dist, softwareModuleId=module, artifactId=artifact, filterId=filter_id,
                        softwareModuleTypeId=module_type, distributionSetTypeId=set_type)

    def rollout(self, *groups):
        n = self.n
        answer = self.op.post("/rest/v1/rollouts", {
            "name": f"r{n}", "distributionSetId": self.ids["distributionSetId"], "targetFilterQuery": f"id==t{n}*",
            "groups": groups or [{"name": "all"}]})
        self.ids["rolloutId"] = answer["id"]
        groups = self.op.get(f"/rest/v1/rollouts/{answer['id']}/deploygroups")
        self.ids["groupId"] = groups["content"][0]["id"]

    def started(self):
        self.op.target(self.target + "b")
        self.rollout({"name": "one", "targetCount": 1, "successCondition": {"expression": "100"}}, {"name": "two"})
        self.op.call("POST", f"/rest/v1/rollouts/{self.ids['rolloutId']}/start", expect=200)
        wait_for(lambda: self.status() == "running", 5)

    def status(self):
        return self.op.get(f"/rest/v1/rollouts/{self.ids['rolloutId']}")["status"]

    def action(self, **more):
        self.ids["actionId"] = self.op.assign(self.ids["distributionSetId"], self.target, **more)

    def path(self, pattern):
        for name, value in self.ids.items():
            pattern = pattern.replace("{" + name + "}", str(value))
        assert "{" not in pattern, pattern
        return pattern


def confirming(w):
    w.action(confirmationRequired=True)


def paused(w):
    w.started()
    w.op.call("POST", f"/rest/v1/rollouts/{w.ids['rolloutId']}/pause", expect=200)


def failed(w):
    w.started()
    action = wait_for(lambda: w.op.get(f"/rest/v1/targets/{w.target}/actions?q=active==true")["content"])[0]["id"]
    token = w.op.get(f"/rest/v1/targets/{w.target}")["securityToken"]
    device = Device(w.op.server, w.target, token=f"TargetToken {token}", http=True)
    device.feedback(action, "closed", "failure")


T, D, M = "/rest/v1/targets/{targetId}", "/rest/v1/distributionsets/{distributionSetId}", "/rest/v1/softwaremodules/{softwareModuleId}"
R, ST = "/rest/v1/rollouts/{rolloutId}", "/rest/v1/distributionsettypes/{distributionSetTypeId}"

# What must be so before an operation: by path, or by (method, path).
BEFORE = {
    T + "/actions": World.action, "/rest/v1/actions": World.action, "/rest/v1/actions/{actionId}": World.action,
    T + "/actions/{actionId}": World.action, T + "/actions/{actionId}/status": World.action,
    T + "/actions/{actionId}/confirmation": confirming, T + "/assignedDS": World.action,
    T + "/installedDS": lambda w: w.op.call("POST", w.path(D) + "/assignedTargets?offline=true", json=[{"id": w.target}], expect=200),
    R: World.rollout, R + "/start": World.rollout, R + "/pause": World.started, R + "/resume": paused,
    R + "/triggerNextGroup": World.started, R + "/retry": failed, R + "/deny": World.rollout, R + "/approve": World.rollout,
    R + "/deploygroups": World.rollout, R + "/deploygroups/{groupId}": World.rollout,
    R + "/deploygroups/{groupId}/targets": World.rollout,
    ("GET", ST + "/optionalmoduletypes/{softwareModuleTypeId}"): lambda w: w.ids.update(softwareModuleTypeId=w.free_module_type),
    ("DELETE", ST + "/optionalmoduletypes/{softwareModuleTypeId}"): lambda w: w.ids.update(softwareModuleTypeId=w.free_module_type),
}

BODIES = {
    ("PUT", "/rest/v1/targettypes/{targetTypeId}"): lambda w: {"name": f"n{w.n}", "description": "d", "colour": "#fff"},
    ("POST", "/rest/v1/targettypes"): lambda w: [{"name": f"x{w.n}", "key": f"x{w.n}"}],
    ("POST", "/rest/v1/targettypes/{targetTypeId}/compatibledistributionsettypes"): lambda w: [{"id": 1}],
    ("PUT", "/rest/v1/targettags/{targetTagId}"): lambda w: {"name": f"n{w.n}", "colour": "red"},
    ("POST", "/rest/v1/targettags"): lambda w: [{"name": f"x{w.n}"}],
    ("PUT", "/rest/v1/targettags/{targetTagId}/assigned"): lambda w: [w.target],
    ("DELETE", "/rest/v1/targettags/{targetTagId}/assigned"): lambda w: [w.target],
    ("PUT", "/rest/v1/distributionsettags/{distributionsetTagId}"): lambda w: {"description": "d"},
    ("POST", "/rest/v1/distributionsettags"): lambda w: [{"name": f"x{w.n}"}],
    ("PUT", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned"): lambda w: [w.ids["distributionSetId"]],
    ("POST", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned"): lambda w: [w.ids["distributionSetId"]],
    ("DELETE", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned"): lambda w: [w.ids["distributionSetId"]],
    ("POST", "/rest/v1/targets"): lambda w: [{"controllerId": f"x{w.n}", "name": "x"}],
    ("PUT", T): lambda w: {"name": "new", "description": "d", "requestAttributes": True},
    ("POST", T + "/targettype"): lambda w: {"id": w.ids["targetTypeId"]},
    ("POST", T + "/autoConfirm/activate"): lambda w: {"initiator": "me", "remark": "trusted"},
    ("POST", T + "/assignedDS"): lambda w: [{"id": w.ids["distributionSetId"], "type": "soft"}],
    ("PUT", T + "/actions/{actionId}"): lambda w: {"forceType": "forced"},
    ("PUT", T + "/actions/{actionId}/confirmation"): lambda w: {"confirmation": "confirmed", "details": ["yes"]},
    ("POST", "/rest/v1/targetfilters"): lambda w: {"name": f"x{w.n}", "query": "name==x*"},
    ("PUT", "/rest/v1/targetfilters/{filterId}"): lambda w: {"name": f"y{w.n}", "query": "name==y*"},
    ("POST", "/rest/v1/targetfilters/{filterId}/autoAssignDS"): lambda w: {"id": w.ids["distributionSetId"], "type": "soft"},
    ("PUT", "/rest/v1/system/configs"): lambda w: {"pollingTime": "00:00:30"},
    ("PUT", "/rest/v1/system/configs/{keyName}"): lambda w: {"value": "00:00:30"},
    ("POST", "/rest/v1/softwaremoduletypes"): lambda w: [{"key": f"x{w.n}", "name": f"x{w.n}", "maxAssignments": 3}],
    ("PUT", "/rest/v1/softwaremoduletypes/{softwareModuleTypeId}"): lambda w: {"description": "d"},
    ("POST", "/rest/v1/softwaremodules"): lambda w: [{"name": f"x{w.n}", "version": "1", "type": "os"}],
    ("PUT", M): lambda w: {"description": "d", "vendor": "v"},
    ("POST", "/rest/v1/distributionsettypes"): lambda w: [{"key": f"x{w.n}", "name": f"x{w.n}"}],
    ("PUT", ST): lambda w: {"description": "d"},
    ("POST", ST + "/optionalmoduletypes"): lambda w: {"id": w.ids["softwareModuleTypeId"]},
    ("POST", ST + "/mandatorymoduletypes"): lambda w: {"id": w.free_module_type},
    ("POST", "/rest/v1/distributionsets"): lambda w: [{"name": f"x{w.n}", "version": "1", "type": "os_app"}],
    ("PUT", D): lambda w: {"description": "d", "locked": False},
    ("POST", D + "/invalidate"): lambda w: {"actionCancelationType": "soft", "cancelRollouts": True},
    ("POST", D + "/assignedTargets"): lambda w: [{"id": w.target, "type": "forced"}],
    ("POST", D + "/assignedSM"): lambda w: [{"id": w.free_module}],
    ("POST", "/rest/v1/rollouts"): lambda w: {"name": f"r{w.n}", "distributionSetId": w.ids["distributionSetId"],
                                              "targetFilterQuery": f"id=={w.target}", "amountGroups": 1},
    ("PUT", R): lambda w: {"name": f"s{w.n}", "description": "d"},
    **{(m, p + "/metadata" + k): b for p in (T, D, M)
       for m, k, b in (("POST", "", lambda w: [{"key": "new", "value": "v"}]), ("PUT", "/{metadataKey}", lambda w: {"value": "w"}))},
}

NOT_FOUND = {"targetId": "nobody", "controllerId": "nobody", "metadataKey": "none", "keyName": "no.such.key"}


def operations():
    if not CONTRACT.exists():
        return []
    paths = json.loads(CONTRACT.read_text())["paths"]
    return [(m.upper(), p) for p, methods in paths.items() for m in methods]


def check_schema(schemas, schema, value, where):
    """The part of JSON Schema that the contract uses."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    kind = schema.get("type")
    python = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if kind == "object" and where.endswith(".value"):
        return  # a setting's value may be anything
    if kind in python:
        assert isinstance(value, python[kind]), f"{where}: {value!r} is no {kind}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
    if kind == "array":
        for i, item in enumerate(value):
            check_schema(schemas, schema["items"], item, f"{where}[{i}]")
    if kind == "object":
        for name in schema.get("required", []):
            assert name in value, f"{where}: {name} is missing"
        for name, item in value.items():
            if name in schema.get("properties", {}):
                check_schema(schemas, schema["properties"][name], item, f"{where}.{name}")


def succeed(op, method, pattern, contract):
    w = World(op, approval=pattern.endswith(("/approve", "/deny")))
    before = BEFORE.get((method, pattern), BEFORE.get(pattern))
    if before and not (method == "POST" and pattern == T + "/assignedDS"):
        before(w)
    body = BODIES.get((method, pattern))
    extra = {"json": body(w)} if body else {}
    if pattern.endswith("/artifacts") and method == "POST":
        extra = {"files": {"file": ("new.bin", b"new")}}
    answer = op.call(method, w.path(pattern), **extra)
    responses = contract["paths"][pattern][method.lower()]["responses"]
    wanted = [c for c in responses if c.startswith("2")]
    assert str(answer.status_code) in wanted, f"{method} {pattern}: {answer.status_code} {answer.text}"
    for content, media in responses[wanted[0]].get("content", {}).items():
        if "json" in content and answer.content and "schema" in media:
            check_schema(contract["components"]["schemas"], media["schema"], answer.json(), f"{method} {pattern}")
            break


def refuse(op, method, pattern):
    """Something that does not exist, or for a collection: nobody asks."""
    path = pattern
    for name in [x.split("}")[0] for x in pattern.split("{")[1:]]:
        path = path.replace("{" + name + "}", NOT_FOUND.get(name, "999999"))
    if path == pattern:
        answer = requests.request(method, op.server.http_url + path, json=[] if method != "GET" else None, timeout=10)
        assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
    else:
        body = {"json": {"name": "x"}} if method in ("PUT", "POST") else {}
        if pattern.endswith("/artifacts") and method == "POST":
            body = {"files": {"file": ("new.bin", b"new")}}
        if pattern.endswith("/assigned"):
            body = {"json": ["x"]}
        answer = op.call(method, path, **body)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
    error = answer.json()
    assert error["errorCode"].startswith("hawkbit.server.error.") and error["message"] and error["exceptionClass"]


def test_every_path_of_the_contract_succeeds_and_refuses(op):
    if not operations():
        pytest.skip(f"the contract {CONTRACT} is not there")
    contract = json.loads(CONTRACT.read_text())
    missing, paths = [], set()
    for method, pattern in operations():
        try:
            succeed(op, method, pattern, contract)
            refuse(op, method, pattern)
            paths.add(pattern)
        except AssertionError as e:
            missing.append(f"{method} {pattern}: {str(e).splitlines()[0]}")
    for line in missing:
        print("missing:", line)
    bad = {line.split()[1].rstrip(":") for line in missing}
    print(f"covered: {len(paths - bad)} of {len(contract['paths'])} paths, "
          f"{len(operations()) - len(missing)} of {len(operations())} operations")
    assert not missing
    assert len(paths) >= 77


# ---- lists ----

@pytest.fixture(scope="module")
def fleet(op):
    for i in range(25):
        op.post("/rest/v1/targets", [{"controllerId": f"fleet-{i:02}", "name": f"Fleet {i % 5}",
                                      "description": "it's 100% \"odd\"" if i == 7 else f"number {i}"}])
    return op


def ids(page):
    return [t["controllerId"] for t in page["content"]]


def test_pages_have_content_total_and_size(fleet):
    page = fleet.get("/rest/v1/targets?q=id==fleet-*&limit=10&offset=20&sort=controllerId:ASC")
    assert ids(page) == [f"fleet-{i:02}" for i in range(20, 25)]
    assert (page["total"], page["size"]) == (25, 5)
    assert fleet.get("/rest/v1/targets?q=id==fleet-*&limit=2&sort=name:DESC,controllerId:ASC")["content"][0]["controllerId"] == "fleet-04"


def test_every_target_is_on_exactly_one_page(fleet):
    seen = []
    for offset in range(0, 40, 7):
        seen += ids(fleet.get(f"/rest/v1/targets?q=id==fleet-*&limit=7&offset={offset}&sort=name:ASC"))
    assert sorted(seen) == [f"fleet-{i:02}" for i in range(25)]


@pytest.mark.parametrize("query, count", [
    ("id==fleet-*;name=='Fleet 3'", 5), ("id==fleet-07", 1), ("id=in=(fleet-01,fleet-02,nobody)", 2),
    ("id==fleet-*;(name=='Fleet 0',name=='Fleet 1')", 10), ("id==fleet-*;name!='Fleet 0'", 20),
    ("id==fleet-*;description=='it\\'s 100% \"odd\"'", 1), ("id==fleet-*;lastControllerRequestAt==''", 25),
    ("id==fleet-*;createdAt=lt=${NOW_TS}", 25), ("id=='fleet-01\\' OR 1=1 --'", 0),
])
def test_filters(fleet, query, count):
    page = fleet.call("GET", "/rest/v1/targets", params={"q": query, "limit": 100}, expect=200).json()
    assert page["total"] == count and page["size"] == count


@pytest.mark.parametrize("params, words", [
    ({"q": "name=="}, "character 7"), ({"q": "colour==red"}, "colour"), ({"sort": "name:UP"}, "ASC or DESC"),
    ({"sort": "secret"}, "secret"), ({"offset": "-1"}, "offset"), ({"limit": "many"}, "limit"),
])
def test_what_is_wrong_with_a_query_is_said(op, params, words):
    answer = op.call("GET", "/rest/v1/targets", params=params, expect=400).json()
    assert words in answer["message"]


# ---- bodies and answers ----

def test_content_types(op):
    get = lambda accept: op.call("GET", "/rest/v1/userinfo", headers={"Accept": accept})
    assert get("application/hal+json").headers["Content-Type"] == "application/hal+json"
    assert get("application/json").headers["Content-Type"].startswith("application/json")
    assert get("*/*").json() == {"tenant": "DEFAULT", "username": "admin"}
    assert get("text/html").status_code == 406
    post = lambda kind: op.call("POST", "/rest/v1/targettags", data="[]", headers={"Content-Type": kind}).status_code
    assert (post("application/hal+json"), post("application/json;charset=UTF-8"), post("text/xml")) == (201, 201, 415)


@pytest.mark.parametrize("body, words", [
    ([{"name": "x"}], "controllerId"), ([{"controllerId": "a b"}], "blanks"), ([{"controllerId": ""}], "empty"),
    ([{"controllerId": "x" * 257}], "longer"), ([{"controllerId": "c", "name": 7}], "name"), (["c"], "object"),
    ([{"controllerId": "c", "description": "\u0001"}], "control"), ([{"controllerId": "c", "targetType": 9999}], "target type"),
    ([{"controllerId": "../x"}], "slashes"), ([{"controllerId": ".."}], "path"),
])
def test_a_bad_property_is_named(op, body, words):
    answer = op.call("POST", "/rest/v1/targets", json=body, expect=(400, 404)).json()
    assert words in answer["message"]


def test_an_array_is_made_whole_or_not_at_all(op):
    op.call("POST", "/rest/v1/targets", json=[{"controllerId": "whole-1"}, {"controllerId": "bad one"}], expect=400)
    op.call("GET", "/rest/v1/targets/whole-1", expect=404)


def test_twice_the_same_name_conflicts(op):
    op.target("twice")
    answer = op.call("POST", "/rest/v1/targets", json=[{"controllerId": "twice"}], expect=409).json()
    assert answer["errorCode"] == "hawkbit.server.error.repo.entitiyAlreayExists"


def test_names_that_clients_look_for_exist_from_the_start(op):
    keys = lambda path: {x["key"] for x in op.get(f"/rest/v1/{path}?limit=500")["content"]}
    assert {"os", "firmware", "application", "config", "library", "driver"} <= keys("softwaremoduletypes")
    assert {"mue", "os", "app", "os_app"} <= keys("distributionsettypes")


# ---- what the test suite of a RAUC client asks of a server ----

def test_deleting_twice_succeeds(op):
    dist, module = op.release("del", "1", {"a": b"x"})
    for path in (f"/rest/v1/distributionsets/{dist}", f"/rest/v1/softwaremodules/{module}"):
        op.call("DELETE", path, expect=200)
        op.call("DELETE", path, expect=200)
        assert op.get(path)["deleted"] is True
    assert op.get("/rest/v1/softwaremodules?q=name==del")["total"] == 0
    op.release("del", "1", {"a": b"x"})  # the name is free again


def test_artifact_digests_are_told(op):
    module = op.post("/rest/v1/softwaremodules", [{"name": "art", "version": "1", "type": "os"}])[0]["id"]
    content = b"artifact" * 1000
    answer = op.upload(module, "b.raucb", content).json()
    assert answer["hashes"] == {name: hashlib.new(name, content).hexdigest() for name in ("sha1", "md5", "sha256")}
    assert (answer["size"], answer["providedFilename"]) == (8000, "b.raucb")
    assert op.call("GET", f"/rest/v1/softwaremodules/{module}/artifacts/{answer['id']}/download", expect=200).content == content
    assert op.upload(module, "b.raucb", content).json()["id"] == answer["id"]  # a publish may be repeated
    op.upload(module, "b.raucb", b"other", expect=409)
    assert len(op.get(f"/rest/v1/softwaremodules/{module}/artifacts")) == 1
    op.call("DELETE", f"/rest/v1/softwaremodules/{module}/artifacts/{answer['id']}", expect=200)
    assert op.get(f"/rest/v1/softwaremodules/{module}/artifacts") == []


def simulated(op, name):
    token = op.target(name)["securityToken"]
    return Device(op.server, name, token=f"TargetToken {token}", http=True)


def test_the_life_of_an_action_as_its_history_shows_it(op):
    device = simulated(op, "life")
    dist, _ = op.release("life", "1", {"a": b"x"})
    answer = op.post(f"/rest/v1/distributionsets/{dist}/assignedTargets", [{"id": "life", "type": "forced"}])
    assert (answer["assigned"], answer["alreadyAssigned"], answer["total"]) == (1, 0, 1)
    action = answer["assignedActions"][-1]["id"]
    assert op.get("/rest/v1/targets/life")["updateStatus"] == "pending"
    device.feedback(action, "proceeding")
    device.feedback(action, "downloaded", "success")
    state = op.action("life", action)
    assert (state["type"], state["status"], state["detailStatus"]) == ("update", "pending", "downloaded")
    device.feedback(action, "closed", "success", details=["done"])
    state = op.action("life", action)
    assert (state["type"], state["status"], state["detailStatus"]) == ("update", "finished", "finished")
    newest = op.get(f"/rest/v1/targets/life/actions/{action}/status?offset=0&limit=50&sort=id:DESC")["content"][0]
    assert newest["type"] == "finished" and "done" in newest["messages"]
    assert op.get("/rest/v1/targets/life/installedDS")["id"] == dist
    assert op.get("/rest/v1/targets/life")["updateStatus"] == "in_sync"
    again = op.post(f"/rest/v1/distributionsets/{dist}/assignedTargets", [{"id": "life"}])
    assert (again["assigned"], again["alreadyAssigned"]) == (0, 1)


def test_cancel_and_force_quit(op):
    device = simulated(op, "cancel")
    dist, _ = op.release("cancel", "1", {"a": b"x"})
    action = op.assign(dist, "cancel")
    path = f"/rest/v1/targets/cancel/actions/{action}"
    assert op.call("DELETE", path + "?force=true", expect=405).json()["errorCode"].startswith("hawkbit.server.error.action")
    op.call("DELETE", path, expect=200)
    assert op.get(path)["type"] == "cancel" and op.get(path)["status"] == "pending"
    op.call("DELETE", path, expect=405)
    assert device.link("cancelAction").endswith(f"/cancelAction/{action}")
    device.feedback(action, "closed", "success", kind="cancelAction")
    state = op.get(path)
    assert (state["type"], state["status"], state["detailStatus"]) == ("cancel", "finished", "canceled")
    assert [x["type"] for x in op.history("cancel", action)][-1] == "canceled"
    op.call("DELETE", path + "?force=true", expect=405)  # ended already

    second = op.assign(op.release("cancel", "2", {"a": b"y"})[0], "cancel")
    op.call("DELETE", f"/rest/v1/targets/cancel/actions/{second}", expect=200)
    op.call("DELETE", f"/rest/v1/targets/cancel/actions/{second}?force=true", expect=200)
    assert op.action("cancel", second)["detailStatus"] == "canceled"
    assert device.link("cancelAction") is None


def test_a_newer_assignment_supersedes(op):
    device = simulated(op, "super")
    first = op.assign(op.release("super", "1", {"a": b"x"})[0], "super")
    dist, _ = op.release("super", "2", {"a": b"y"})
    second = op.assign(dist, "super")
    assert op.action("super", first)["detailStatus"] == "canceling"
    assert op.get("/rest/v1/targets/super/assignedDS")["id"] == dist
    device.feedback(first, "closed", "success", kind="cancelAction")
    assert device.deployment()["id"] == str(second)


def test_a_failed_set_can_be_assigned_again(op):
    device = simulated(op, "again")
    dist, _ = op.release("again", "1", {"a": b"x"})
    action = op.assign(dist, "again")
    device.feedback(action, "closed", "failure")
    assert op.get("/rest/v1/targets/again")["updateStatus"] == "error"
    assert op.assign(dist, "again") > action


@pytest.mark.parametrize("window, good", [
    ({"schedule": "0 0 3 * * ? 2099", "duration": "01:00:00", "timezone": "+01:00"}, True),
    ({"schedule": "0 0 3 * * ? 1999", "duration": "01:00:00", "timezone": "+01:00"}, False),
    ({"schedule": "whenever", "duration": "01:00:00", "timezone": "+01:00"}, False),
    ({"schedule": "0 0 3 * * ?", "duration": "01:00:00", "timezone": "Mars"}, False),
    ({"schedule": "0 0 3 * * ?", "timezone": "+01:00"}, False),
])
def test_maintenance_windows_are_checked(op, window, good):
    name = f"window-{next(COUNTER)}"
    op.target(name)
    dist, _ = op.release(name, "1", {"a": b"x"})
    op.call("POST", f"/rest/v1/distributionsets/{dist}/assignedTargets", json=[{"id": name, "maintenanceWindow": window}],
            expect=200 if good else 400)


def test_what_was_assigned_is_locked(op):
    op.target("locked")
    dist, module = op.release("locked", "1", {"a": b"x"})
    op.assign(dist, "locked")
    for method, path, more in (
            ("POST", f"/rest/v1/softwaremodules/{module}/artifacts", {"files": {"file": ("b", b"b")}}),
            ("DELETE", f"/rest/v1/distributionsets/{dist}/assignedSM/{module}", {})):
        assert "locked" in op.call(method, path, expect=423, **more).json()["message"]


def test_an_incomplete_or_invalid_set_is_not_handed_out(op):
    op.target("invalid")
    empty = op.post("/rest/v1/distributionsets", [{"name": "empty", "version": "1", "type": "mue"}])[0]
    assert empty["complete"] is False
    assign = lambda dist: op.call("POST", f"/rest/v1/distributionsets/{dist}/assignedTargets", json=[{"id": "invalid"}])
    assert "incomplete" in assign(empty["id"]).json()["message"]
    dist, _ = op.release("invalid", "1", {"a": b"x"})
    action = op.assign(dist, "invalid")
    op.call("POST", f"/rest/v1/distributionsets/{dist}/invalidate", json={"actionCancelationType": "force"}, expect=200)
    assert op.action("invalid", action)["detailStatus"] == "canceled"
    assert assign(dist).status_code == 400


def test_auto_assignment_reaches_old_and_new_targets(op):
    op.target("auto-1")
    dist, _ = op.release("auto", "1", {"a": b"x"})
    filter_id = op.post("/rest/v1/targetfilters", {"name": "auto", "query": "id==auto-*"})["id"]
    op.post(f"/rest/v1/targetfilters/{filter_id}/autoAssignDS", {"id": dist})
    actions = lambda name: op.get(f"/rest/v1/targets/{name}/actions")["total"]
    wait_for(lambda: actions("auto-1") == 1, 15)
    op.target("auto-2")
    wait_for(lambda: actions("auto-2") == 1, 15)
    op.target("other")
    assert actions("auto-1") == 1 and actions("other") == 0


def test_confirmation_by_the_operator_and_by_standing_consent(op):
    simulated(op, "consent")
    dist, _ = op.release("consent", "1", {"a": b"x"})
    action = op.assign(dist, "consent", confirmationRequired=True)
    path = f"/rest/v1/targets/consent/actions/{action}"
    assert op.get(path)["detailStatus"] == "wait_for_confirmation"
    op.call("PUT", path + "/confirmation", json={"confirmation": "denied"}, expect=200)
    assert op.get(path)["detailStatus"] == "wait_for_confirmation"
    op.call("POST", "/rest/v1/targets/consent/autoConfirm/activate", json={"remark": "ok"}, expect=200)
    assert op.get(path)["detailStatus"] == "running"
    consent = op.get("/rest/v1/targets/consent/autoConfirm")
    assert consent["active"] is True and consent["remark"] == "ok"


def test_what_devices_and_operators_write_cannot_leave_its_place(op):
    """SQL, markup and control characters come back as they were, or are refused."""
    nasty = "'; DROP TABLE target; -- <script>alert(1)</script> \u202e \\ %s"
    device = simulated(op, "nasty")
    device.attributes({"note": nasty})
    op.call("PUT", "/rest/v1/targets/nasty", json={"description": nasty}, expect=200)
    assert op.get("/rest/v1/targets/nasty/attributes") == {"note": nasty}
    assert op.get("/rest/v1/targets/nasty")["description"] == nasty
    quoted = "'" + nasty.replace("\\", "\\\\").replace("'", "\\'") + "'"
    page = op.call("GET", "/rest/v1/targets", params={"q": f"attribute.note=={quoted}"}, expect=200).json()
    assert ids(page) == ["nasty"]
