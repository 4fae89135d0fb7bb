"""Is `infra/` right? Its directories against today's schema of the AWS provider, each with its own tests; its rules for
security; and its whole life, with the real provider.

    python infra.py TOOLS [PART...]
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bed import ROOT, Failed, check
from infra_e2e import bad_input, end_to_end
from infra_ec2 import on_ec2
from infra_guard import guard
from infra_refusals import refusals

CI = Path(__file__).resolve().parent
DIRECTORIES = ["network", "registry", "cluster", "dns", "load-balancer", "roles", "services", "observability"]


class Terraform:
    """Terraform over a copy of `infra/`, with the providers of one folder."""

    def __init__(self, tools, name, providers, **environment):
        """Copies the directories: Terraform writes beside them."""
        self.home = tools / "infra" / name
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        for folder in ("terraform", "policies"):
            shutil.copytree(ROOT / "infra" / folder, self.home / folder, ignore=shutil.ignore_patterns(".terraform*"))
        config = self.home / "terraformrc"
        config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{providers}"\n  }}\n}}\n')
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(config), "TF_IN_AUTOMATION": "1", "NO_PROXY": "127.0.0.1", **environment,
        }  # fmt: skip

    def __call__(self, directory, *words, code=0):
        """Runs a command in a directory. Gives what it printed."""
        began = time.monotonic()
        command = [sys.executable, CI / "infra_terraform.py", f"-chdir={self.home / 'terraform' / directory}", *words]
        done = subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=420
        )
        shown = f"{directory}: terraform {words[0]}"
        if done.returncode != code:
            raise Failed(f"`{shown}` exited with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
        print(f"  {shown} in {time.monotonic() - began:.1f} s", flush=True)
        return done.stdout + done.stderr


def stub(tools):
    """A provider that has today's schema and makes nothing. Gives the folder that Terraform finds it in."""
    folder = tools / "infra/stub-provider"
    binary = folder / "registry.terraform.io/hashicorp/aws/6.66.0/linux_amd64/terraform-provider-aws_v6.66.0"
    binary.parent.mkdir(parents=True, exist_ok=True)
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CI}/infra_stub.py"\n')
    binary.chmod(0o755)
    return folder


def schema(tools):
    """Each directory has only names, types and blocks that today's provider knows, and passes its own tests."""
    file = tools / "infra/schema.json"
    command = [sys.executable, CI / "infra_schema.py", tools / "infra/bindings/package", ROOT / "infra/terraform", file]
    subprocess.run(command, check=True)
    terraform = Terraform(tools, "schema", stub(tools), AWS_SCHEMA=str(file))
    for directory in DIRECTORIES:
        (terraform.home / "terraform" / directory / "tests/refusals.tftest.hcl").write_text(refusals(directory))
        terraform(directory, "init", "-backend=false", "-input=false", "-no-color")
        terraform(directory, "validate", "-no-color")
        passed = terraform(directory, "test", "-no-color")
        check(", 0 failed." in passed, f"{directory}: {passed.strip().splitlines()[-1]}")
    unknown(terraform)


def unknown(terraform):
    """The schema finds what is planted: this check can fail."""
    planted = terraform.home / "terraform/registry/planted.tf"
    planted.write_text('resource "aws_ecr_repository" "planted" {\n  name   = "x"\n  colour = "blue"\n}\n')
    said = terraform("registry", "validate", "-no-color", code=1)
    check("colour" in said, "an argument that the provider lacks is refused")
    planted.unlink()


# A change of bootstrap.yml for each rule of bootstrap.guard, and for cfn-lint: what each must find.
PLANTED = {
    "nothing_but_states_provider_and_roles": ("Type: AWS::IAM::OIDCProvider", "Type: AWS::IAM::User"),
    "states_are_safe": ("BlockPublicAcls: true", "BlockPublicAcls: false"),
    "states_outlive_the_stack": ("UpdateReplacePolicy: Retain", "UpdateReplacePolicy: Delete"),
    "provider_is_github": ("- sts.amazonaws.com", "- everybody"),
    "roles_trust_whole_subjects": ("StringEquals:", "StringLike:"),
    "plans_only_read": ("- sns:GetTopicAttributes", "- sns:SetTopicAttributes"),
}


def bootstrap(tools):
    """The CloudFormation template has only what AWS's own specification knows, and keeps the rules of bootstrap.guard."""
    template, planted = ROOT / "infra/bootstrap.yml", tools / "infra/planted.yml"
    lint = [Path(sys.executable).parent / "cfn-lint"]
    check(said(*lint, template) == (0, ""), "cfn-lint finds nothing in bootstrap.yml")
    planted.write_text(template.read_text().replace("VersioningConfiguration:", "VersionConfiguration:"))
    check("VersionConfiguration" in said(*lint, planted)[1], "cfn-lint finds a property that does not exist")
    guard = [next(tools.glob("cfn-guard-*/bin/cfn-guard")), "validate", "--rules", CI / "bootstrap.guard", "--data"]
    code, text = said(*guard, template)
    check(code == 0, "cfn-guard: bootstrap.yml keeps every rule" if code == 0 else f"cfn-guard: {text}")
    for rule, (before, after) in PLANTED.items():
        planted.write_text(template.read_text().replace(before, after))
        code, text = said(*guard, planted)
        failed = re.findall(r"^(?:\S+/)?(\w+) +FAIL$", text, re.M)
        check(code != 0 and rule in failed, f"cfn-guard: `{after}` breaks {rule} {failed}")


def said(*command):
    """Exit code and output of a tool."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def security(tools):
    """Checkov finds what is planted, and else only what checkov.yml leaves out, each with its reason."""
    home = tools / "infra/security"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(ROOT / "infra", home, ignore=shutil.ignore_patterns(".terraform*"))
    open_group = '  type              = "ingress"\n  protocol          = "tcp"\n  from_port         = 22\n  to_port           = 22\n'
    (home / "terraform/network/planted.tf").write_text(
        f'resource "aws_security_group_rule" "planted" {{\n{open_group}  cidr_blocks       = ["0.0.0.0/0"]\n'
        '  security_group_id = aws_security_group.tasks.id\n}\n'
    )
    text = (CI / "checkov.yml").read_text()
    reasons = dict(re.findall(r"^  - (CKV\w+) # (.+)$", text, re.M))
    check(len(reasons) == text.count("  - CKV"), "each check that is left out has its reason")
    config = tools / "infra/checkov.yml"
    config.write_text(text[: text.index("skip-check:")])
    command = [tools / "venv-checkov/bin/checkov", "--config-file", config, "--directory", home]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    reports = json.loads(done.stdout)
    failed = [found for report in reports for found in report["results"]["failed_checks"]]
    found = {one["check_id"] for one in failed if "planted" not in one["resource"]}
    open_to_all = [one["check_id"] for one in failed if one["resource"] == "aws_security_group_rule.planted"]
    check("CKV_AWS_24" in open_to_all, "checkov finds what is planted: SSH that is open to the world")
    check(found <= set(reasons), f"checkov finds nothing but what is left out {found - set(reasons) or ''}")
    passed = sum(report["summary"]["passed"] for report in reports)
    check(passed > 150, f"{passed} checks passed")


def formatted(tools):
    """`terraform fmt` would change nothing."""
    terraform = Terraform(tools, "fmt", tools)
    terraform(".", "fmt", "-check", "-recursive", "-no-color")


def guarded(tools):
    """The guard of the workflows, over plans that no apply here makes."""
    guard(tools / "infra")


def walk(tools):
    """From nothing to everything and back, with the real provider."""
    end_to_end(tools)


def instances(tools):
    """The same on EC2 instances, without the reader."""
    on_ec2(tools)


PARTS = {"fmt": formatted, "schema": schema, "bootstrap": bootstrap, "security": security, "guard": guarded, "walk": walk, "ec2": instances, "refusals": bad_input}


# Parts that run one after the other; the lanes run at the same time. The walks wait for their providers most of the time.
LANES = [["walk"], ["ec2"], ["fmt", "schema", "bootstrap", "security", "guard", "refusals"]]


def in_lanes(tools):
    """Runs all parts, each lane as a process of its own, and says at the end how long each part took."""
    began, times = time.monotonic(), {}
    with ThreadPoolExecutor() as pool:
        lanes = [pool.submit(lane, tools, parts, times) for parts in LANES]
    failed = [why for done in lanes if (why := done.result())]
    for part, (seconds, processor) in times.items():
        print(f"{part}: {seconds:.0f} s, {processor:.0f} s of them on a processor", flush=True)
    print(f"infra: {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        raise Failed("; ".join(failed))


def lane(tools, parts, times):
    """Runs parts in order. Each line of output begins with the part's name. Gives why one failed."""
    for part in parts:
        began = time.monotonic()
        command = [sys.executable, __file__, tools, part]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        last = ""
        for line in process.stdout:
            if found := re.fullmatch(r"processor (\S+)\n", line):
                times[part] = (time.monotonic() - began, float(found[1]))
                continue
            last = line.strip() or last
            print(f"{part}: {line.rstrip()}", flush=True)
        if process.wait():
            return f"{part}: {last}"
    return None


def main(tools, *parts):
    """Runs the parts that are named, or all."""
    if not parts:
        in_lanes(tools)
    for part in parts:
        PARTS[part](Path(tools).resolve())
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        print(f"processor {sum(one.ru_utime + one.ru_stime for one in used):.1f}", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failed as error:
        sys.exit(f"failed: {error}")
