"""`infra/run` end to end: Terraform with the real provider, the testbed for what the action uses, and moto for the rest of
AWS. Everything is applied, the action works on it, the plan stays empty, and everything is destroyed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from bed import ROOT, Bed, Failed, check

NAME, REGION, BUCKET = "stage", "eu-west-1", "stage-state"
# The provider of the end-to-end run is the newest that PyPI has: it lacks these.
NEWER_FILES = ["network/rules.tf", "network/nat.tf", "load-balancer/rules.tf", "cluster/instances.tf"]
NEWER_LINES = {"services/main.tf": "skip_destroy"}
OF_TESTBED = ["applicationautoscaling", "ecr", "ecs", "elb", "sts"]
OF_MOTO = ["acm", "autoscaling", "cloudwatch", "cloudwatchlogs", "ec2", "iam", "route53", "s3", "sns"]


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Moto:
    """moto's server, for the length of a `with` block."""

    def __init__(self, log):
        """Knows where it will be; nothing runs yet."""
        self.log = log
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        """Starts it and waits until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 60
        while True:
            try:
                opener.open(self.url + "/moto-api/", timeout=5)
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise Failed(f"moto did not start: {self.log.read_text()}") from None
                time.sleep(0.2)

    def __exit__(self, *_):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)


class Stage:
    """A copy of `infra/` whose directories reach the testbed and moto."""

    def __init__(self, home, providers, bed, moto):
        """Copies the directories and writes the files that override what only a test changes."""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        self.home, self.bed, self.moto = home, bed, moto
        shutil.copytree(ROOT / "infra", home / "infra", ignore=shutil.ignore_patterns(".terraform*"))
        self.terraform = home / "infra/terraform"
        for name in NEWER_FILES:
            (self.terraform / name).unlink()
        for name, line in NEWER_LINES.items():
            path = self.terraform / name
            path.write_text("".join(part for part in path.read_text().splitlines(True) if line not in part))
        for directory in self.terraform.iterdir():
            if directory.is_dir():
                (directory / "stage_override.tf").write_text(self.override(directory))
        binary = home / "terraform"
        binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/.ci/infra_terraform.py" "$@"\n')
        binary.chmod(0o755)
        config = home / "terraformrc"
        config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{providers}"\n  }}\n}}\n')
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "TERRAFORM": str(binary),
            "TF_CLI_CONFIG_FILE": str(config), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "NO_PROXY": "127.0.0.1",
            "PYTHONDONTWRITEBYTECODE": "1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "TF_VAR_name": NAME, "TF_VAR_region": REGION, "TF_VAR_state_bucket": BUCKET, "TF_VAR_repository": "octo-org/shop",
            "SUMMARY": str(home / "summary.md"),
        }  # fmt: skip

    def override(self, directory):
        """Endpoints, the older provider, and where the states are."""
        ends = {**dict.fromkeys(OF_TESTBED, self.bed.variables["AWS_ENDPOINT_URL"]), **dict.fromkeys(OF_MOTO, self.moto.url)}
        lines = "\n".join(f'    {name} = "{url}"' for name, url in ends.items())
        state = f"""
    region                      = "{REGION}"
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
    skip_metadata_api_check     = true
    endpoints                   = {{ s3 = "{self.moto.url}", iam = "{self.moto.url}", sts = "{self.moto.url}" }}"""
        text = f"""terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "3.39.0"
    }}
  }}
  backend "s3" {{
    encrypt      = true
    use_lockfile = true{state}
  }}
}}
provider "aws" {{
  region                      = var.region
  skip_metadata_api_check     = true
  skip_credentials_validation = true
  skip_region_validation      = true
  s3_force_path_style         = true
  max_retries                 = 2
  endpoints {{
{lines}
  }}
}}
"""
        states = directory / "states.tf"
        for name in re.findall(r'terraform_remote_state" "(\w+)"', states.read_text() if states.exists() else ""):
            key = f"{NAME}/{name.replace('_', '-')}.tfstate"
            text += f'data "terraform_remote_state" "{name}" {{\n  config = {{\n    bucket = "{BUCKET}"\n    key = "{key}"{state}\n  }}\n}}\n'
        return text

    def variables(self, directory, **values):
        """A directory's own variables."""
        (self.terraform / directory / "terraform.tfvars.json").write_text(json.dumps(values))

    def run(self, *words, code=0, **environment):
        """Runs `infra/run`. Gives what it printed."""
        began = time.monotonic()
        done = subprocess.run(
            [self.home / "infra/run", *words], env={**self.environment, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=580,
        )  # fmt: skip
        if done.returncode != code:
            raise Failed(f"`infra/run {' '.join(words)}` exited with {done.returncode}, not {code}:\n{done.stdout[-9000:]}")
        print(f"  infra/run {' '.join(words)} in {time.monotonic() - began:.1f} s", flush=True)
        return done.stdout

    def summary(self):
        """The changes that the last run wrote as Markdown; the next one starts anew."""
        path = self.home / "summary.md"
        text = path.read_text()
        path.unlink()
        return text

    def client(self, service, url):
        """A client of AWS's own library."""
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
        return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)

    def action(self, command, **inputs):
        """Runs the action's binary on what Terraform made. Fails if the command fails."""
        values = {**self.outputs("services")["action_inputs"], "command": command, "settle": "2s"}
        values.update({name.replace("_", "-"): value for name, value in inputs.items()})
        values.pop("region")
        environment = {**self.bed.environment(), **{f"INPUT_{name.upper()}": value for name, value in values.items()}}
        environment["NO_PROXY"] = "127.0.0.1"
        binary = ROOT / "target/debug/ecs-blue-green"
        done = subprocess.run(
            [binary], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180
        )
        check(done.returncode == 0, f"{command}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")

    def outputs(self, directory):
        """The outputs in a directory's state."""
        body = self.client("s3", self.moto.url).get_object(Bucket=BUCKET, Key=f"{NAME}/{directory}.tfstate")["Body"].read()
        return {name: output["value"] for name, output in json.loads(body)["outputs"].items()}


def unchanged(stage, after):
    """The plan of every directory is empty."""
    stage.run("plan", "all")
    text = stage.summary()
    changed = [line for line in text.splitlines() if line.startswith(("###", "-")) and "no changes" not in line]
    check(not changed and text.count("no changes") == 8, f"after {after} no plan has a change {changed}")


def end_to_end(home, providers):
    """The whole walk."""
    with Bed() as bed, Moto(home.parent / "moto.log") as moto:
        stage = Stage(home, providers, bed, moto)
        where = {"LocationConstraint": REGION}
        stage.client("s3", moto.url).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        stage.variables("network", zones=[f"{REGION}a", f"{REGION}b"])
        stage.variables("load-balancer", ports={name: free_port() for name in ("production", "blue", "green", "develop")})
        stage.run("apply", "all")
        unchanged(stage, "the apply")
