"""`infra/changes.py` over plans that no apply here makes, and the roles' policies against an independent rendering."""

import json
import subprocess
import sys

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
    for address, what, refused in CASES:
        code, text = judged(home, [change(address, what)])
        check(code == refused and f"`{address}`" in text, f"{what} of {address}: {'refused' if refused else 'goes through'}")
    code, text = judged(home, [change(CASES[0][0], "replace")], "allow-replace")
    check(code == 0 and "Refused" not in text, "`allow-replace` lets it through")
    plan = [change("aws_vpc.this", "port"), {**change("aws_vpc.this", "port"), "change": {"actions": ["no-op"]}}]
    code, text = judged(home, plan)
    check("1 change\n" in text and "- change `aws_vpc.this`: port" in text and " 2" not in text, "names, and no values")


def rendered(policies, balancer):
    """The roles' policies are the files of `infra/policies` with the names of what was made, and nothing else."""
    names = {
        "ACCOUNT_ID": "123456789012", "REGION": "eu-west-1", "LOAD_BALANCER_ID": balancer["id"],
        "LOAD_BALANCER": balancer["name"], "REPOSITORY": "stage/web", "CLUSTER": "stage", "EXECUTION_ROLE": "stage-execution",
        "TASK_ROLE": "stage-task",
    }  # fmt: skip
    names |= {f"{color.upper()}_{kind}": f"stage-{color}" for color in ("blue", "green", "develop") for kind in ("SERVICE", "FAMILY")}
    for name in ("read", "deploy", "traffic", "scaling"):
        text = (ROOT / f"infra/policies/{name}.json").read_text()
        for placeholder, value in names.items():
            text = text.replace(placeholder, value)
        check(json.loads(policies[name]) == json.loads(text), f"the role's policy `{name}` is the file with names filled in")
