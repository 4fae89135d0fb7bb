"""`infra/changes.py` over plans that no apply here makes, and the roles' policies against an independent rendering."""

import json
import re
import subprocess
import sys

import yaml
from bed import ROOT, check

# Address, type and what a plan does to it; and whether it must be refused.
CASES = [
    ("aws_lb_listener.production", "delete", True),
    ("aws_lb_listener.production", "replace", True),
    ("aws_lb_listener.production", "forget", True),
    ("aws_lb_listener.production", "split", True),
    ("aws_lb_listener.production", "port", False),
    ('aws_lb_listener.test["green"]', "replace", False),
    ("aws_lb_listener.redirect[0]", "delete", False),
    ('aws_lb_listener_rule.production["api"]', "replace", True),
    ('aws_lb_listener_rule.production["api"]', "split", True),
    ('aws_lb_target_group.color["blue"]', "replace", True),
    ('aws_lb_target_group.color["develop"]', "delete", False),
    ('aws_ecs_service.color["green"]', "delete", True),
    ('aws_ecs_service.color["green"]', "port", False),
    ('aws_ecs_service.color["develop"]', "replace", False),
    ("aws_lb.this", "replace", True),
    ("aws_ecs_cluster.this", "delete", True),
    ('aws_ecs_task_definition.color["blue"]', "replace", False),
]
ACTIONS = {"delete": ["delete"], "replace": ["delete", "create"], "forget": ["forget"], "split": ["update"], "port": ["update"]}


# What Terraform leaves alone, and what it may not destroy; no other resource has either.
LIFECYCLES = {
    "aws_lb.this": (set(), True),
    "aws_lb_target_group.color": (set(), True),
    "aws_lb_listener.production": ({"default_action"}, True),
    "aws_lb_listener_rule.production": ({"action"}, True),
    "aws_ecs_service.color": ({"desired_count", "task_definition"}, False),
    "aws_appautoscaling_target.color": ({"min_capacity", "max_capacity", "suspended_state"}, False),
    "aws_autoscaling_group.instance": ({"desired_capacity"}, False),
}


def lifecycles(text):
    """The resources of a text with `ignore_changes` or `prevent_destroy`."""
    found = {}
    for kind, name, body in re.findall(r'^resource "(\w+)" "(\w+)" \{(.*?)^\}', text, re.S | re.M):
        ignored = re.search(r"^ +ignore_changes += \[(.*?)\]", body, re.S | re.M)
        prevented = re.search(r"^ +prevent_destroy += true$", body, re.M)
        if ignored or prevented:
            found[f"{kind}.{name}"] = (set(re.findall(r"\w+", ignored[1])) if ignored else set(), bool(prevented))
    return found


def ruled():
    """Rules of infra/README.md that a look at the text proves."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "infra/terraform").glob("*/*.tf")))
    found = lifecycles(text)
    check(found == LIFECYCLES, f"weights, counts and definitions are the action's {found if found != LIFECYCLES else ''}")
    for word in ("ignore_changes", "prevent_destroy"):
        check(lifecycles(re.sub(rf"^ +{word} ", " # ", text, count=1, flags=re.M)) != LIFECYCLES, f"without one {word} this check fails")
    groups = re.findall(r'^resource "aws_security_group" .*?^\}', text, re.S | re.M)
    check(len(groups) == 3 and not re.search(r"^ +(ingress|egress) ", "".join(groups), re.M), "rules are apart from their groups")
    check("aws_security_group_rule" not in text and "module " not in text, "rules of today's kind, and no modules of others")


def workflows():
    """The workflows to copy are guarded: one run at a time on the states, an approval, a look before and after."""
    text = (ROOT / "examples/infrastructure-apply.yml").read_text()
    apply = yaml.safe_load(text)
    one_at_a_time = {"group": "infrastructure-shop", "cancel-in-progress": False, "queue": "max"}
    check(apply["concurrency"] == one_at_a_time, "one run at a time, never cut off, none dropped")
    check(apply["jobs"]["change"]["environment"] == "infrastructure", "apply and destroy wait for an environment's approval")
    seen = [apply["jobs"][name]["steps"][-1]["with"]["command"] for name in ("before", "after")]
    check(seen == ["status", "status"] and apply["jobs"]["change"]["needs"] == "before", "the action's status before and after")
    plan = yaml.safe_load((ROOT / "examples/infrastructure-plan.yml").read_text())
    same = "github.event.pull_request.head.repo.full_name == github.repository"
    check(plan["jobs"]["plan"]["if"] == same, "no pull request of a fork is planned")
    check("cloudformation" not in text and "bootstrap" not in (ROOT / "infra/run").read_text(), "none destroys bootstrap.yml's stack")


def change(address, what):
    """A resource's change, as `terraform show -json` has it."""
    kind, _, rest = address.partition(".")
    name, _, index = rest.rstrip("]").partition("[")
    part = {"split": "action" if kind.endswith("_rule") else "default_action"}.get(what, "port")
    entry = {"address": address, "mode": "managed", "type": kind, "name": name}
    if index:
        entry["index"] = json.loads(index)
    return {**entry, "change": {"actions": ACTIONS[what], "before": {part: 1}, "after": {part: 2}}}


def judged(home, plan, *options):
    """Exit code and list of changes."""
    file, summary = home / "guard.json", home / "guard.md"
    file.write_text(json.dumps({"resource_changes": plan}))
    summary.unlink(missing_ok=True)
    command = [sys.executable, ROOT / "infra/changes.py", "load-balancer", file, summary, *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return done.returncode, summary.read_text()


def guard(home):
    """What users' traffic needs can't go by itself; the rest can."""
    ruled()
    workflows()
    for address, what, refused in CASES:
        code, text = judged(home, [change(address, what)])
        check(code == refused and f"`{address}`" in text, f"{what} of {address}: {'refused' if refused else 'goes through'}")
    code, text = judged(home, [change(CASES[0][0], "replace")], "allow-replace")
    check(code == 0 and "Refused" not in text, "`allow-replace` lets it through")
    plan = [change("aws_vpc.this", "port"), {**change("aws_vpc.this", "port"), "change": {"actions": ["no-op"]}}]
    code, text = judged(home, plan)
    check("1 change\n" in text and "- change `aws_vpc.this`: port" in text and " 2" not in text, "names, and no values")


JOBS = {
    "status": ["doctor", "read"], "deploy": ["deploy", "doctor", "read"], "promote": ["doctor", "read", "traffic"],
    "redirect": ["doctor", "read", "traffic"], "push": ["push"], "develop": ["deploy-develop", "push", "read"],
}  # fmt: skip
FILES = ("read", "deploy", "traffic", "doctor")


def rendered(attached, balancer):
    """Each role has its policies and no other; they are the files of `infra/policies` with the names of what was made."""
    names = {
        "ACCOUNT_ID": "123456789012", "REGION": "eu-west-1", "LOAD_BALANCER_ID": balancer["id"],
        "LOAD_BALANCER": balancer["name"], "REPOSITORY": "stage/web", "CLUSTER": "stage", "EXECUTION_ROLE": "stage-execution",
        "TASK_ROLE": "stage-task",
    }  # fmt: skip
    names |= {f"{color.upper()}_{kind}": f"stage-{color}" for color in ("blue", "green", "develop") for kind in ("SERVICE", "FAMILY")}
    names |= {f"{color.upper()}_LOG_GROUP": f"/ecs/stage/{color}" for color in ("blue", "green", "develop")}
    check({job: sorted(policies) for job, policies in attached.items()} == JOBS, "each role has its policies, and no other")
    for name in FILES:
        text = (ROOT / f"infra/policies/{name}.json").read_text()
        for placeholder, value in names.items():
            text = text.replace(placeholder, value)
        jobs = [job for job, policies in JOBS.items() if name in policies]
        same = [attached[job][name] == json.loads(text.replace("CHECKED_ROLE", f"stage-{job}")) for job in jobs]
        check(all(same), f"the policy `{name}` of {', '.join(jobs)} is the file with names filled in")
