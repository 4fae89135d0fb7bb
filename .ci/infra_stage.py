"""A copy of `infra/` that reaches the testbed, for what the action uses, and moto, for the rest of AWS: Terraform with the real
provider over it, and the action's binary on what Terraform made."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import boto3
import yaml
from bed import ROOT, Failed, free_port, get
from server import Server

NAME, REGION, BUCKET = "stage", "eu-west-1", "stage-terraform-state-123456789012"
# The provider of the end-to-end run is the newest that PyPI has: it lacks these.
NEWER_FILES = ["network/rules.tf", "network/nat.tf", "load-balancer/rules.tf"]
NEWER_LINES = {
    "services/main.tf": ["skip_destroy"],
    "services/scaling.tf": ["suspended_state,"],
    "cluster/instances.tf": ["max_healthy_percentage", "scale_in_protected_instances", "managed_draining"],
}
NEWER_RESOURCE = re.compile(r'^resource "aws_ecs_cluster_capacity_providers".*?^}\n', re.S | re.M)
# What that resource does, as the older provider has it.
CLUSTER = """resource "aws_ecs_cluster" "this" {
  capacity_providers = concat(["FARGATE", "FARGATE_SPOT"], aws_ecs_capacity_provider.instance[*].name)
  default_capacity_provider_strategy {
    capacity_provider = local.ec2 ? aws_ecs_capacity_provider.instance[0].name : "FARGATE"
    weight            = 1
  }
}
"""
OF_TESTBED = ["applicationautoscaling", "cloudwatch", "ecr", "ecs", "elb", "sts"]
OF_MOTO = ["acm", "autoscaling", "cloudwatchlogs", "ec2", "iam", "route53", "s3", "sns"]
# The testbed has alarms and no dashboards.
OF_MOTO_ALONE = {"observability": ["cloudwatch"]}


def plain(text):
    """What Terraform said, without its frames and line breaks."""
    return re.sub(r"\s*\n[│╷╵ ]*", " ", text)


class Moto(Server):
    """moto's server, which notes each call."""

    def __init__(self, log):
        """Knows its port; nothing runs yet."""
        port = free_port()
        self.calls = log.with_suffix(".calls")
        command = [sys.executable, ROOT / ".ci/infra_moto.py", str(port), self.calls]
        environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
        super().__init__(command, f"http://127.0.0.1:{port}", log, environment)

    def noted(self):
        """The calls so far, each an action and a resource."""
        return [line.split(" ", 1) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []


class Stage:
    """A copy of `infra/` whose directories reach the testbed and moto."""

    def __init__(self, home, providers, bed, moto):
        """Copies the directories and writes the files that override what only a test changes."""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        self.home, self.bed, self.moto = home, bed, moto
        self.repository = "octo-org/stage" # as the subjects of its runs name it
        shutil.copytree(ROOT / "infra", home / "infra", ignore=shutil.ignore_patterns(".terraform*"))
        self.terraform = home / "infra/terraform"
        for name in NEWER_FILES:
            (self.terraform / name).unlink()
        for name, words in NEWER_LINES.items():
            path = self.terraform / name
            lines = NEWER_RESOURCE.sub("", path.read_text()).splitlines(True)
            path.write_text("".join(line for line in lines if not any(word in line for word in words)))
        for directory in self.terraform.iterdir():
            if directory.is_dir():
                (directory / "stage_override.tf").write_text(self.override(directory))
        with (self.terraform / "cluster/stage_override.tf").open("a") as file:
            file.write(CLUSTER)
        binary = home / "terraform"
        binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/.ci/infra_terraform.py" "$@"\n')
        binary.chmod(0o755)
        config = home / "terraformrc"
        config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{providers}"\n  }}\n}}\n')

    def account(self):
        """What a shell has that reaches this account, and Terraform's providers."""
        ends = {f"AWS_ENDPOINT_URL_{name.upper()}": self.bed.variables["AWS_ENDPOINT_URL"] for name in ("ecr", "ecs")}
        ends.update({f"AWS_ENDPOINT_URL_{name.upper()}": self.moto.url for name in ("cloudformation", "iam", "s3")})
        return {
            "HOME": str(self.home), "TMPDIR": str(self.home), "TF_CLI_CONFIG_FILE": str(self.home / "terraformrc"),
            "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "NO_PROXY": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true", **ends,
        }  # fmt: skip

    def override(self, directory):
        """Endpoints, the older provider, and where the states are."""
        ends = {**dict.fromkeys(OF_TESTBED, self.bed.variables["AWS_ENDPOINT_URL"]), **dict.fromkeys(OF_MOTO, self.moto.url)}
        ends.update(dict.fromkeys(OF_MOTO_ALONE.get(directory.name, []), self.moto.url))
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
        (self.home / "summary.md").unlink(missing_ok=True)
        variables = {
            **self.account(), "AWS_REGION": REGION, "PATH": os.environ["PATH"], "TERRAFORM": str(self.home / "terraform"), "TF_VAR_name": NAME,
            "TF_VAR_region": REGION, "TF_VAR_state_bucket": BUCKET, "TF_VAR_repository": "octo-org/stage",
            "SUMMARY": str(self.home / "summary.md"), **environment,
        }  # fmt: skip
        done = subprocess.run(
            [self.home / "infra/run", *words], env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=580,
        )  # fmt: skip
        with (self.home / "log").open("a") as log:
            log.write(done.stdout)
        if done.returncode != code:
            raise Failed(f"`infra/run {' '.join(words)}` exited with {done.returncode}, not {code}:\n{done.stdout[-9000:]}")
        print(f"  infra/run {' '.join(words)} in {time.monotonic() - began:.1f} s", flush=True)
        return done.stdout

    def summary(self):
        """The changes that the last run wrote as Markdown."""
        return (self.home / "summary.md").read_text()

    def client(self, service, url):
        """A client of AWS's own library, with the key of the checks."""
        keys = {"aws_access_key_id": "AKIAI44QH8DHBEXAMPLE", "aws_secret_access_key": "x"}
        return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)

    def of_action(self):
        """What the action's process has: AWS, and where it gets id tokens. No keys."""
        ends = {name: self.bed.variables[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_EC2_METADATA_DISABLED")}
        tokens = {name: value for name, value in self.bed.github.items() if name.startswith("ACTIONS_")}
        return {**ends, **tokens, "PATH": os.environ["PATH"], "HOME": str(self.home / "nobody"), "NO_PROXY": "127.0.0.1"}

    def action(self, command, job, context, code=0, **inputs):
        """Runs the action's binary on what Terraform made, in a run whose subject ends with this context, by a job's role
        and with no other permission. Gives its log."""
        role = self.outputs("roles")["role_to_assume"][job]
        values = {**self.outputs("services")["action_inputs"], "command": command, "role-to-assume": role, "settle": "2s"}
        values.update({name.replace("_", "-"): value for name, value in inputs.items()})
        environment = {**self.of_action(), **{f"INPUT_{name.upper()}": value for name, value in values.items()}}
        self.permits(role, context)
        done = subprocess.run(
            [ROOT / "target/debug/ecs-blue-green"], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
        )  # fmt: skip
        self.bed.obeys("policies")
        if done.returncode != code:
            raise Failed(f"{command} by {role} exited with {done.returncode}, not {code}:\n{done.stdout}")
        print(f"  ok: {command} by the role {job}" + (" is refused" if code else ""), flush=True)
        return done.stdout

    def subjects(self, role):
        """The subjects that a role trusts, as IAM has it."""
        role = self.client("iam", self.moto.url).get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
        condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        subjects = condition["token.actions.githubusercontent.com:sub"]
        return [subjects] if isinstance(subjects, str) else subjects

    def permits(self, role, context):
        """The role's trust and policies, as IAM has them, become those of the testbed, which has no use for a denial. Gives
        the policies."""
        folder, policies = self.home / "policies", self.attached(role.rsplit("/", 1)[1])
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, policy in policies.items():
            allowed = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
            (folder / f"{name}.json").write_text(json.dumps({**policy, "Statement": allowed}))
        self.bed.obeys(f"trust {role} {' '.join(self.subjects(role))}")
        self.bed.obeys(f"run {self.repository} {context}")
        self.bed.obeys(f"policies {folder}")
        return policies

    def asks(self):
        """A user's request to production: status and body."""
        return get(self.balancer["ports"]["production"])

    def attached(self, role):
        """The policies of a role, as IAM has them: those inside, and managed ones."""
        iam = self.client("iam", self.moto.url)
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        found = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            answer = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            found[policy["PolicyName"]] = answer["PolicyVersion"]["Document"]
        return found

    def attaches(self):
        """Gives the roles of bootstrap.yml their managed policies: moto's CloudFormation leaves them out."""
        loader = type("Loader", (yaml.SafeLoader,), {})
        loader.add_multi_constructor("!", lambda _, __, node: node.value)
        resources = yaml.load((ROOT / "infra/bootstrap.yml").read_text(), loader)["Resources"]
        named = lambda one, key: resources[one]["Properties"][key].replace("${Name}", NAME)
        for role in [name for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"]:
            for policy in resources[role]["Properties"]["ManagedPolicyArns"]:
                arn = f"arn:aws:iam::123456789012:policy/{named(policy, 'ManagedPolicyName')}"
                self.client("iam", self.moto.url).attach_role_policy(RoleName=named(role, "RoleName"), PolicyArn=arn)

    def makes_bucket(self):
        """The bucket of the states, for walks that leave bootstrap.yml out."""
        where = {"LocationConstraint": REGION}
        self.client("s3", self.moto.url).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)

    def exists(self, directory):
        """Whether a directory has a state."""
        listed = self.client("s3", self.moto.url).list_objects_v2(Bucket=BUCKET, Prefix=f"{NAME}/{directory}.tfstate")
        return listed["KeyCount"] > 0

    def template(self):
        """The name of the only launch template."""
        return self.client("ec2", self.moto.url).describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateName"]

    def tags(self):
        """The tags of all images."""
        ecr = self.client("ecr", self.bed.variables["AWS_ENDPOINT_URL"])
        found = ecr.describe_images(repositoryName=f"{NAME}/web")["imageDetails"]
        return [tag for image in found for tag in image.get("imageTags", [])]

    def empties(self):
        """Deletes every image: AWS deletes no repository that holds any."""
        ecr = self.client("ecr", self.bed.variables["AWS_ENDPOINT_URL"])
        ecr.batch_delete_image(repositoryName=f"{NAME}/web", imageIds=[{"imageTag": tag} for tag in self.tags()])

    def outputs(self, directory):
        """The outputs in a directory's state."""
        body = self.client("s3", self.moto.url).get_object(Bucket=BUCKET, Key=f"{NAME}/{directory}.tfstate")["Body"].read()
        return {name: output["value"] for name, output in json.loads(body)["outputs"].items()}
