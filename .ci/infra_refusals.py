"""Values that each variable of infra/terraform must refuse, and states that a directory needs: as tests of Terraform, which
.ci/infra.py adds to those of each directory. A variable that refuses anything has to be here."""

import json
import re

from bed import ROOT, check

LONG = "a-name-of-twenty-five-cha"
COMMON = {"name": [LONG, "Shop", "a--b", "1st"], "region": ["eu-west-1a"], "state_bucket": ["s3://shop", "shop/states"]}
REFUSED = {
    "network": {
        "zones": [["eu-west-1a"], ["eu-west-1a", "eu-west-1a"], ["a", "b"], [f"eu-west-1{zone}" for zone in "abcdefg"]],
        "cidr": ["10.0.0.0/24", "10.0.0.0"], "capacity": ["spot"], "nat": ["yes"],
        "extra_endpoints": [["com.amazonaws.eu-west-1.sqs"]],
    },
    "registry": {"repository_name": ["Shop/Web", "x"], "keep_images": [5, 20.5], "untagged_days": [0]},
    "cluster": {
        "container_insights": ["on"], "instance_type": ["small"], "instance_architecture": ["arm"],
        "instances": [{"min": 3, "max": 2}, {"min": 0, "max": 0}, {"min": 0.5, "max": 2}],
    },
    "dns": {"domain": ["https://shop.example.com", f"{'a' * 49}.example.com"], "zone": ["example.com."]},
    "load-balancer": {
        "container_port": [0, 65536, 80.5],
        "health_check": [
            {"path": "healthz"}, {"interval": 5, "timeout": 5}, {"interval": 301}, {"timeout": 1}, {"healthy": 1}, {"unhealthy": 11},
        ],
        "rules": [
            {"api": {"priority": 0, "paths": ["/"]}}, {"api": {"priority": 50001, "paths": ["/"]}}, {"api": {"priority": 1}},
            {"a": {"priority": 1, "paths": ["/a"]}, "b": {"priority": 1, "paths": ["/b"]}},
        ],
        "ports": [{"green": 65536}, {"production": 0}, {"blue": 8000, "green": 8000}],
        "user_ranges": [["example.com"]], "test_ranges": [["203.0.113.7"], ["0.0.0.0/0"]], "certificate": ["shop.example.com"],
        "idle_timeout": [0, 4001], "deregistration_delay": [-1, 3601],
    },
    "roles": {
        "repository": ["octo-org/*", "https://github.com/octo-org/shop"], "repository_with_ids": ["octo-org/shop"], "branch": ["release/*"],
        "environments": [{"promote": "prod*"}], "scaling": ["both"],
        "secrets": [{"URL": "postgres://db"}, {"A-B": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
        "secrets_keys": [["alias/shop"]], "task_policies": [["ReadOnlyAccess"]],
    },
    "services": {
        "image": ["shop/web"], "cpu": [300], "memory": [256, 512.5, 200000], "counts": [{"blue": -1}, {"blue": 1.5}, {"green": 1001}],
        "environment": [{"A-B": "x"}], "stop_timeout": [1, 121], "grace_period": [-1, 901], "log_days": [31], "max_tasks": [0, 1.5],
        "thresholds": [{"low": 90}, {"cpu": 101}, {"low": 0}],
    },
    "observability": {
        "email": ["on-call"], "topic": ["alarms"], "percent": [0, 101], "errors": [0],
    },
}  # fmt: skip


def variables(directory):
    """The variables that refuse a value, with the sentences of their refusals."""
    text = (ROOT / f"infra/terraform/{directory}/variables.tf").read_text()
    found = {name: re.findall(r'error_message = "(.*)"$', body, re.M) for name, body in re.findall(r'^variable "(\w+)" \{(.*?)^\}', text, re.S | re.M)}
    return {name: sentences for name, sentences in found.items() if sentences}


def states(directory):
    """The directories whose states a directory reads."""
    path = ROOT / f"infra/terraform/{directory}/states.tf"
    return re.findall(r'"terraform_remote_state" "(\w+)"', path.read_text()) if path.exists() else []


def refusals(directory):
    """The tests of a directory, as a file of Terraform. Its mocks are those of the directory's own tests."""
    known = variables(directory)
    table = {**{name: values for name, values in COMMON.items() if name in known}, **REFUSED[directory]}
    check(set(table) == set(known), f"{directory}: each variable that refuses a value is tried {set(table) ^ set(known) or ''}")
    plain = all(sentence.startswith(f"`{name}") or "`" in sentence for name, all_of in known.items() for sentence in all_of)
    check(plain and all(sentence[-1] == "." for all_of in known.values() for sentence in all_of), f"{directory}: each refusal is a sentence")
    own = next((ROOT / f"infra/terraform/{directory}/tests").iterdir()).read_text()
    runs = [own[: own.index('\nrun "')]]
    for name, values in table.items():
        for i, value in enumerate(values):
            runs.append(
                f'run "{name}_{i}" {{\n  command = plan\n  variables {{\n    {name} = {json.dumps(value)}\n  }}\n'
                f"  expect_failures = [var.{name}]\n}}\n"
            )
    for state in states(directory):
        target = f"data.terraform_remote_state.{state}"
        runs.append(
            f'run "before_{state}" {{\n  command = plan\n  override_data {{\n    target = {target}\n'
            f"    values = {{ outputs = {{}} }}\n  }}\n  expect_failures = [{target}]\n}}\n"
        )
    return "\n".join(runs)
