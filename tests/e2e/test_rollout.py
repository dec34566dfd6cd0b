"""Rollouts: the stages bench -> one -> 30 % -> the rest over simulated devices, thresholds, people's interventions, and
a server that is killed in the middle of it all."""
import random
import threading
import time

import pytest

from conftest import Device, Operator, Server, wait_for

OPEN = ("running", "retrieved", "download", "downloaded", "warning")


class Fleet:
    """Simulated devices over DDI, each with its own target token."""

    def __init__(self, operator, count, prefix="dev"):
        self.operator = operator
        self.ids = [f"{prefix}-{i:02}" for i in range(count)]
        operator.post("/rest/v1/targets", [{"controllerId": i, "name": i} for i in self.ids])
        token = lambda i: operator.get(f"/rest/v1/targets/{i}")["securityToken"]
        self.devices = {i: Device(operator.server, i, token=f"TargetToken {token(i)}", http=True) for i in self.ids}

    def bench(self, *ids):
        tag = self.operator.post("/rest/v1/targettags", [{"name": "bench"}])[0]["id"]
        self.operator.call("PUT", f"/rest/v1/targettags/{tag}/assigned", json=list(ids), expect=200)

    def offered(self):
        """Who is told to install something now."""
        return [i for i, d in self.devices.items() if d.link("deploymentBase")]

    def install(self, *ids, finished="success"):
        for i in ids:
            device = self.devices[i]
            action = device.deployment()["id"]
            device.feedback(action, "proceeding")
            device.feedback(action, "closed", finished, details=[f"says {i}"])


class Rollout:
    def __init__(self, operator, dist, groups, start=True, expect=201, **more):
        self.operator = operator
        body = {"name": more.pop("name", f"r{dist}"), "distributionSetId": dist,
                "targetFilterQuery": more.pop("query", "id==dev-*"), "groups": groups, **more}
        self.answer = operator.call("POST", "/rest/v1/rollouts", json=body, expect=expect).json()
        self.id = self.answer.get("id")
        if start and self.id:
            self.do("start")

    @property
    def path(self):
        return f"/rest/v1/rollouts/{self.id}"

    def do(self, verb, expect=200):
        return self.operator.call("POST", f"{self.path}/{verb}", expect=expect)

    def get(self):
        return self.operator.get(self.path)

    def groups(self):
        return self.operator.get(self.path + "/deploygroups?limit=500")["content"]

    def members(self, i):
        page = self.operator.get(f"{self.path}/deploygroups/{self.groups()[i]['id']}/targets?limit=500")
        return [t["controllerId"] for t in page["content"]]

    def wait(self, status, seconds=20):
        wait_for(lambda: self.get()["status"] == status, seconds)

    def wait_group(self, i, status, seconds=20):
        wait_for(lambda: self.groups()[i]["status"] == status, seconds)


def group(name, success=100, error=50, action="PAUSE", **more):
    return {"name": name, "successCondition": {"condition": "THRESHOLD", "expression": str(success)},
            "successAction": {"action": "NEXTGROUP", "expression": ""},
            "errorCondition": {"condition": "THRESHOLD", "expression": str(error)},
            "errorAction": {"action": action, "expression": ""}, **more}


STAGES = [group("bench", targetFilterQuery="tag==bench"), group("one", targetCount=1),
          group("wave", targetPercentage=30), group("rest")]


@pytest.fixture
def fleet(operator):
    return Fleet(operator, 12)


@pytest.fixture
def dist(operator):
    return operator.release("app", "2.0", {"image": b"image"})[0]


def test_twelve_devices_go_through_bench_one_thirty_percent_and_the_rest(operator, fleet, dist):
    fleet.bench("dev-05", "dev-06")
    rollout = Rollout(operator, dist, STAGES, start=False)
    assert rollout.answer["status"] == "ready" and rollout.answer["totalTargets"] == 12
    assert [g["totalTargets"] for g in rollout.groups()] == [2, 1, 3, 6]
    assert rollout.answer["totalTargetsPerStatus"]["notstarted"] == 12
    everybody = sum((rollout.members(i) for i in range(4)), [])
    assert sorted(everybody) == fleet.ids  # everybody once
    assert rollout.members(0) == ["dev-05", "dev-06"]
    assert fleet.offered() == []
    rollout.do("start")
    seen = []
    for i in range(4):
        rollout.wait_group(i, "running")
        wait_for(lambda: sorted(fleet.offered()) == sorted(rollout.members(i)))
        states = [g["status"] for g in rollout.groups()]
        assert states[:i] == ["finished"] * i and states[i + 1:] == ["scheduled"] * (3 - i)
        members = rollout.members(i)
        fleet.install(*members[:-1])
        time.sleep(0.3)
        assert rollout.groups()[i]["status"] == "running"  # the last one is missing
        fleet.install(members[-1])
        seen += members
    rollout.wait("finished")
    assert sorted(seen) == fleet.ids
    assert rollout.get()["totalTargetsPerStatus"] == {"notstarted": 0, "scheduled": 0, "running": 0, "finished": 12,
                                                      "error": 0, "cancelled": 0}
    assert fleet.offered() == []
    for i in fleet.ids:
        assert operator.get(f"/rest/v1/targets/{i}/installedDS")["id"] == dist
        assert operator.get(f"/rest/v1/targets/{i}/actions")["total"] == 1


def test_a_failing_canary_stops_the_rollout_and_eleven_are_never_touched(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("one", targetCount=1), group("wave", targetPercentage=30), group("rest")])
    rollout.wait_group(0, "running")
    wait_for(lambda: fleet.offered() == ["dev-00"])
    fleet.install("dev-00", finished="failure")
    rollout.wait("paused")
    answer = rollout.get()
    assert "group 1 has 1 of 1 targets in error, above its error threshold of 50 %" in answer["statusReason"]
    assert [g["status"] for g in rollout.groups()] == ["error", "scheduled", "scheduled"]
    assert answer["totalTargetsPerStatus"]["scheduled"] == 11 and answer["totalTargetsPerStatus"]["error"] == 1
    time.sleep(1.5)
    assert fleet.offered() == []
    for i in fleet.ids[1:]:
        assert operator.get(f"/rest/v1/targets/{i}")["updateStatus"] in ("unknown", "registered")
    rollout.do("stop")
    rollout.wait("stopped")
    assert rollout.get()["totalTargetsPerStatus"] == {"notstarted": 0, "scheduled": 0, "running": 0, "finished": 0,
                                                      "error": 1, "cancelled": 11}


def test_the_error_action_stop_cancels_what_is_under_way(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("all", error=10, action="STOP")])
    wait_for(lambda: len(fleet.offered()) == 12)
    fleet.install("dev-00", finished="failure")
    time.sleep(0.5)
    assert rollout.get()["status"] == "running"  # 1 of 12 is 8.3 %
    fleet.install("dev-01", finished="failure")
    rollout.wait("stopped")
    assert all(fleet.devices[i].link("cancelAction") for i in fleet.ids[2:])
    assert fleet.offered() == []


def test_a_group_below_its_success_threshold_lets_nobody_through(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("first", success=80, error=50, targetCount=4), group("rest")])
    wait_for(lambda: len(fleet.offered()) == 4)
    fleet.install("dev-00", "dev-01", finished="failure")  # 50 % is not above 50 %
    fleet.install("dev-02", "dev-03")
    rollout.wait("paused")
    assert "2 of 4 targets finished, below its success threshold of 80 %" in rollout.get()["statusReason"]
    assert fleet.offered() == []
    rollout.do("resume")  # a person decides
    rollout.wait_group(1, "running")
    wait_for(lambda: len(fleet.offered()) == 8)


def test_the_next_group_opens_at_the_threshold_and_not_before(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("first", success=75, targetCount=4), group("rest")])
    wait_for(lambda: len(fleet.offered()) == 4)
    fleet.install("dev-00", "dev-01")
    time.sleep(1.2)
    assert rollout.groups()[1]["status"] == "scheduled"
    fleet.install("dev-02")
    rollout.wait_group(1, "running")
    assert rollout.groups()[0]["status"] == "running"  # dev-03 still works
    wait_for(lambda: len(fleet.offered()) == 9)


def test_pause_holds_back_and_resume_goes_on(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("one", targetCount=1), group("rest")])
    wait_for(lambda: fleet.offered() == ["dev-00"])
    rollout.do("pause")
    assert rollout.get()["statusReason"] == "paused by admin"
    rollout.do("pause", expect=400)
    fleet.install("dev-00")
    time.sleep(1.5)
    assert fleet.offered() == [] and rollout.groups()[1]["status"] == "scheduled"
    rollout.do("resume")
    rollout.wait_group(1, "running")
    wait_for(lambda: len(fleet.offered()) == 11)
    assert "statusReason" not in rollout.get()


def test_a_person_may_open_the_next_group(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("one", targetCount=1), group("rest")])
    wait_for(lambda: fleet.offered() == ["dev-00"])
    rollout.do("triggerNextGroup")
    wait_for(lambda: len(fleet.offered()) == 12)
    rollout.do("triggerNextGroup", expect=400)


def test_start_happens_by_the_clock(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("all")], start=False, startAt=int(time.time() * 1000) + 1500)
    time.sleep(0.5)
    assert rollout.get()["status"] == "ready"
    rollout.wait("running")


def test_approval_comes_before_the_start(operator, fleet, dist):
    operator.call("PUT", "/rest/v1/system/configs/rollout.approval.enabled", json={"value": True}, expect=200)
    rollout = Rollout(operator, dist, [group("all")], start=False)
    assert rollout.answer["status"] == "waiting_for_approval"
    rollout.do("start", expect=400)
    operator.call("POST", rollout.path + "/deny?remark=not+yet", expect=200)
    answer = rollout.get()
    assert (answer["status"], answer["approvalRemark"], answer["approveDecidedBy"]) == ("approval_denied", "not yet", "admin")
    rollout.do("start", expect=400)
    rollout.do("approve")
    rollout.do("start")
    wait_for(lambda: len(fleet.offered()) == 12)


def test_who_has_it_already_is_done_without_being_asked(operator, fleet, dist):
    operator.assign(dist, "dev-00")
    fleet.install("dev-00")
    rollout = Rollout(operator, dist, [group("one", targetCount=1), group("rest")])
    rollout.wait_group(1, "running")  # dev-00 was the canary
    assert rollout.get()["totalTargetsPerStatus"]["finished"] == 1
    assert "dev-00" not in fleet.offered()


def test_retry_is_a_new_rollout_for_those_that_failed(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("all", error=100)])
    wait_for(lambda: len(fleet.offered()) == 12)
    fleet.install(*fleet.ids[2:])
    fleet.install(*fleet.ids[:2], finished="failure")
    rollout.wait("finished")
    answer = rollout.do("retry", expect=201).json()
    assert (answer["status"], answer["totalTargets"]) == ("ready", 2)
    operator.call("POST", f"/rest/v1/rollouts/{answer['id']}/start", expect=200)
    wait_for(lambda: fleet.offered() == fleet.ids[:2])


def test_deleting_a_rollout_takes_back_what_was_not_done(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("one", targetCount=1), group("rest")])
    wait_for(lambda: fleet.offered() == ["dev-00"])
    operator.call("DELETE", rollout.path, expect=200)
    wait_for(lambda: fleet.devices["dev-00"].link("cancelAction"))
    operator.call("DELETE", rollout.path, expect=200)
    assert operator.get("/rest/v1/rollouts")["total"] == 0
    assert operator.get("/rest/v1/actions?q=detailStatus==scheduled")["total"] == 0


def test_a_deleted_target_does_not_hold_its_group(operator, fleet, dist):
    rollout = Rollout(operator, dist, [group("two", targetCount=2), group("rest")])
    wait_for(lambda: len(fleet.offered()) == 2)
    fleet.install("dev-00")
    operator.call("DELETE", "/rest/v1/targets/dev-01", expect=200)
    rollout.wait_group(1, "running")


def test_equal_groups_and_confirmation(operator, fleet, dist):
    rollout = Rollout(operator, dist, [], amountGroups=5, confirmationRequired=True,
                      successCondition={"condition": "THRESHOLD", "expression": "0"})
    assert [g["totalTargets"] for g in rollout.groups()] == [2, 3, 2, 3, 2]
    assert all(g["confirmationRequired"] for g in rollout.groups())
    wait_for(lambda: all(d.link("confirmationBase") for d in fleet.devices.values()))


@pytest.mark.parametrize("groups, more, words", [
    ([group("a", targetPercentage=50)], {}, "6 of 12 targets are in no group"),
    ([group("a", targetFilterQuery="tag==none")], {}, "12 of 12 targets are in no group"),
    ([group("a")], {"query": "id==nobody"}, "no target matches"),
    ([group("a")], {"query": "id=="}, "character 5"),
    ([group("a", targetFilterQuery="colour==red")], {}, "colour"),
    ([group("a", success=101)], {}, "0..100"),
    ([group("a", targetPercentage=0)], {}, "targetPercentage"),
    ([group("a", targetCount=0)], {}, "targetCount"),
    ([{"targetPercentage": 100}], {}, "name"),
    ([group("a")], {"amountGroups": 2}, "not both"),
])
def test_a_plan_that_cannot_be_is_refused(operator, fleet, dist, groups, more, words):
    rollout = Rollout(operator, dist, groups, expect=400, **more)
    assert words in rollout.answer["message"]
    assert operator.get("/rest/v1/rollouts")["total"] == 0


# ---- the server dies ----

class Crowd(threading.Thread):
    """Devices that do their work whenever the server is there.  Keeps what was acknowledged."""

    def __init__(self, fleet, failing=()):
        super().__init__(daemon=True)
        self.fleet, self.failing = fleet, set(failing)
        self.acknowledged, self.offers, self.over = {}, {}, False

    def run(self):
        while not self.over:
            for i in random.sample(self.fleet.ids, len(self.fleet.ids)):
                try:
                    self.turn(i)
                except Exception:  # the server is away
                    time.sleep(0.02)

    def turn(self, i):
        device = self.fleet.devices[i]
        link = device.link("deploymentBase")
        if not link:
            return
        action = link.split("/deploymentBase/")[1].split("?")[0]
        self.offers.setdefault(i, set()).add(action)
        finished = "failure" if i in self.failing else "success"
        if device.call("GET", link).status_code == 200:
            device.feedback(action, "proceeding", details=["half way"])
            device.feedback(action, "closed", finished, details=[f"end of {i}"])
            self.acknowledged[i] = (action, "finished" if finished == "success" else "error")


def killing(folder, failing, until, kills=8):
    """Runs a rollout of 24 while the server is killed again and again; gives what the crowd saw."""
    server = Server(folder, "--poll", "1").start()
    operator = Operator(server)
    fleet = Fleet(operator, 24)
    dist = operator.release("app", "2.0", {"image": b"image"})[0]
    crowd = Crowd(fleet, failing)
    try:
        rollout = Rollout(operator, dist, [group("one", targetCount=1), group("few", targetPercentage=20, error=40),
                                           group("half", targetPercentage=50, error=40), group("rest", error=40)])
        crowd.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 0.5))
            server.kill()
            server.start()
        rollout.wait(until, 60)
        crowd.over = True
        crowd.join(10)
        for i, (action, state) in crowd.acknowledged.items():
            assert operator.action(i, action)["detailStatus"] == state, f"{i}: acknowledged and lost"
        for i, actions in crowd.offers.items():
            assert len(actions) == 1, f"{i} was updated twice: {actions}"
        counts = rollout.get()["totalTargetsPerStatus"]
        return crowd, counts, [g["status"] for g in rollout.groups()]
    finally:
        crowd.over = True
        server.close()


def test_killed_again_and_again_it_ends_the_same(folder):
    crowd, counts, groups = killing(folder, failing=(), until="finished")
    assert counts == {"notstarted": 0, "scheduled": 0, "running": 0, "finished": 24, "error": 0, "cancelled": 0}
    assert groups == ["finished"] * 4
    assert len(crowd.offers) == 24  # none skipped


def test_killed_again_and_again_the_threshold_still_holds(folder):
    # One, then a fifth of 23 = 5 (dev-01 to dev-05): three of them fail, 60 % is above 40 %.
    crowd, counts, groups = killing(folder, failing=("dev-01", "dev-02", "dev-03"), until="paused")
    assert groups == ["finished", "error", "scheduled", "scheduled"]
    assert counts["scheduled"] == 18 and counts["error"] >= 3
    assert set(crowd.offers) <= {f"dev-{i:02}" for i in range(6)}
