"""Is `infra/` right? Its directories against today's schema of the AWS provider, each with its own tests; its rules for
security; and its whole life, with the real provider.

    python infra.py TOOLS [PART...]
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bed import ROOT, Failed, check
from infra_e2e import end_to_end
from infra_guard import guard

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


def bootstrap(tools):
    """The CloudFormation template has only what AWS's own specification knows."""
    template, planted = ROOT / "infra/bootstrap.yml", tools / "infra/planted.yml"
    planted.write_text(template.read_text().replace("VersioningConfiguration:", "VersionConfiguration:"))
    for path, holds, text in [
        (template, lambda said: not said, "cfn-lint finds nothing in bootstrap.yml"),
        (planted, lambda said: "VersionConfiguration" in said, "cfn-lint finds a property that does not exist"),
    ]:
        command = [Path(sys.executable).parent / "cfn-lint", path]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        said = done.stdout + done.stderr
        check(holds(said), text if holds(said) else f"{text}: {said}")


def security(tools):
    """Checkov finds nothing but what is planted. What it leaves out has its reason in checkov.yml."""
    home = tools / "infra/security"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(ROOT / "infra", home, ignore=shutil.ignore_patterns(".terraform*"))
    open_group = '  type              = "ingress"\n  protocol          = "tcp"\n  from_port         = 22\n  to_port           = 22\n'
    (home / "terraform/network/planted.tf").write_text(
        f'resource "aws_security_group_rule" "planted" {{\n{open_group}  cidr_blocks       = ["0.0.0.0/0"]\n'
        '  security_group_id = aws_security_group.tasks.id\n}\n'
    )
    command = [tools / "venv-checkov/bin/checkov", "--config-file", CI / "checkov.yml", "--directory", home]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    reports = json.loads(done.stdout)
    failed = [found for report in reports for found in report["results"]["failed_checks"]]
    names = sorted({found["resource"] for found in failed})
    check(names == ["aws_security_group_rule.planted"], f"checkov finds what is planted, and nothing else: {names}")
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
    end_to_end(tools / "infra/stage", tools / "infra/providers")


PARTS = {"fmt": formatted, "schema": schema, "bootstrap": bootstrap, "security": security, "guard": guarded, "walk": walk}


def main(tools, *parts):
    """Runs the parts that are named, or all."""
    for part in parts or PARTS:
        print(part, flush=True)
        PARTS[part](Path(tools).resolve())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failed as error:
        sys.exit(f"failed: {error}")
