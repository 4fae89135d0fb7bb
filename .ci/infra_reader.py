"""Path A of docs/getting-started.md, an empty account, command by command from the page alone: `aws` is the AWS CLI on moto
and the testbed, `terraform` and `git` are real, `gh` and `docker` are shims, and each workflow that GitHub would start is run
step by step. Only the application's name is another, `stage`: the testbed has a cluster `shop` already."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress

from bed import ROOT, Failed, check
from infra_permissions import compared
from workflows import Runner

PAGE = "docs/getting-started.md"
ACTION = "octo-org/ecs-blue-green"
BRANCH = "ref:refs/heads/main"
WITH_IDS = "octo-org@65/stage@74"
# The directories whose states each directory reads.
NEEDS = {
    "cluster": "network", "load-balancer": "dns network", "roles": "load-balancer registry",
    "services": "cluster load-balancer network registry roles", "observability": "cluster load-balancer services",
}  # fmt: skip


def steps():
    """The page's steps of path A, by name: their shell blocks, and the file of each YAML block."""
    text = (ROOT / PAGE).read_text()
    part = text[text.index("\n## A. ") : text.index("\n## B. ")]
    found = re.split(r"^### (A\d+)\. .*$", part, flags=re.M)
    return dict(zip(found[1::2], found[2::2], strict=True))


def blocks(step, kind="sh"):
    """The code blocks of a kind, each as one text."""
    return re.findall(rf"^```{kind}\n(.*?)^```", step, re.S | re.M)


def placed(block):
    """A block with the reader's names."""
    return block.replace("shop", "stage").replace("OWNER/", "octo-org/")


class Reader:
    """One reader with one shell, a repository on GitHub, and an account."""

    def __init__(self, stage, tools):
        """Puts the programs in place that the page asks for, and makes both repositories."""
        self.stage, self.home = stage, stage.home / "reader"
        self.calls, self.steps = self.home / "calls", steps()
        programs = self.home / "bin"
        programs.mkdir(parents=True)
        self.calls.touch()
        (self.home / "variables").touch()
        for name in ("gh", "docker"):
            self.program(programs / name, f'exec "{sys.executable}" "{ROOT}/.ci/infra_shims.py" {name} "$@"')
        self.program(programs / "terraform", f'exec "{sys.executable}" "{ROOT}/.ci/infra_terraform.py" "$@"')
        self.program(programs / "aws", f'exec "{tools}/venv/bin/aws" "$@"')
        self.environment = {
            **stage.account(), "PATH": f"{programs}:{os.environ['PATH']}", "SHIM_CALLS": str(self.calls),
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"), "AWS_PAGER": "",
        }  # fmt: skip
        self.upstream = self.home / "github" / ACTION
        self.origin, self.work = self.home / "github/octo-org/stage.git", self.home / "stage"
        (self.home / "gitconfig").write_text(
            f'[user]\n  name = Reader\n  email = reader@example.com\n[init]\n  defaultBranch = main\n'
            f'[url "{self.home}/github/"]\n  insteadOf = https://github.com/\n'
        )
        self.publishes()

    def program(self, path, line):
        """A program on the reader's PATH."""
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def publishes(self):
        """The action's repository, whose infrastructure reaches the testbed and moto; and the reader's, with an application."""
        names = self.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in filter(None, names):
            if not name.startswith("infra/") and (ROOT / name).is_file():
                (self.upstream / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.upstream / name)
        shutil.copytree(self.stage.home / "infra", self.upstream / "infra")
        self.work.mkdir()
        (self.work / "README.md").write_text("# Stage\n")
        subprocess.run(["git", "init", "--quiet", "--bare", self.origin], env=self.environment, check=True)
        for folder in (self.upstream, self.work):
            self.git(folder, "init", "--quiet")
            self.git(folder, "add", ".")
            self.git(folder, "commit", "--quiet", "-m", "First")
        self.git(self.work, "remote", "add", "origin", str(self.origin))
        self.git(self.work, "push", "--quiet", "-u", "origin", "main")

    def git(self, folder, *words):
        """Runs git in a folder; gives what it printed."""
        done = subprocess.run(["git", *words], cwd=folder, env=self.environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Failed(f"git {words}: {done.stderr}")
        return done.stdout

    def types(self, block, where=None):
        """Types a block as it is on the page; the shell's variables stay. Gives what was printed."""
        block = placed(block)
        names = " ".join(sorted(set(re.findall(r"(?:^|\s)(\w+)=", block))))
        variables = self.home / "variables"
        keep = f'for n in {names}; do [ -z "${{!n+x}}" ] || declare -p $n >>"{variables}"; done'
        script = f'set -euo pipefail; . "{variables}"\n{block}\n{keep}'
        done = subprocess.run(
            ["bash", "-c", script], cwd=where or self.work, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=580,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"a block of the page exited with {done.returncode}:\n{block}\n{done.stdout[-6000:]}")
        print("  ok: " + block.strip().splitlines()[0][:110], flush=True)
        return done.stdout

    def step(self, name, where=None):
        """Types every block of a step. Gives what each printed."""
        return [self.types(block, where) for block in blocks(self.steps[name])]

    def called(self, *words):
        """Whether a shim was called with these words."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return any(all(word in call for word in words) for call in calls)

    # What the runner of workflows asks for.

    def runner(self):
        """A runner for the reader's repository."""
        home = self.home / "runs"
        home.mkdir(exist_ok=True)
        runner = Runner(home, "octo-org/stage", f"{ACTION}@", self.environment)
        runner.checks_out, runner.trusts = self.checks_out, self.trusts
        runner.of_action, runner.permissions = self.stage.of_action, self.permissions
        return runner

    def checks_out(self, folder, sha):
        """A checkout of the reader's repository."""
        shutil.rmtree(folder, ignore_errors=True)
        self.git(self.home, "clone", "--quiet", str(self.origin), str(folder))
        self.git(folder, "checkout", "--quiet", sha)

    def trusts(self, role, subject):
        """Fails unless the role that was made trusts a run with this subject."""
        subjects = self.stage.subjects(role)
        if f"repo:{self.stage.repository}:{subject}" not in subjects:
            raise Failed(f"{role} trusts {subjects}, and not {subject}")

    @contextmanager
    def permissions(self, role, subject):
        """The run's subject, and the role's trust and policies, are those of the testbed for a while; calls of moto are compared
        with them afterwards. No role is made yet before the first apply: STS refuses one that does not exist."""
        policies = {}
        with suppress(self.stage.client("iam", self.stage.moto.url).exceptions.NoSuchEntityException):
            policies = self.stage.permits(role, subject)
        before = len(self.stage.moto.noted())
        yield
        self.stage.bed.obeys("policies")
        if calls := self.stage.moto.noted()[before:]:
            compared(role.rsplit("/", 1)[1], policies, calls)

    def starts(self, file, subject=BRANCH, sha=None, inputs=None, **event):
        """Runs a workflow of the reader's repository."""
        sha = sha or self.git(self.work, "rev-parse", "HEAD").strip()
        jobs = self.runner().run(self.work / ".github/workflows" / file, sha, subject, inputs, **event)
        print(f"  ok: workflow {file}: {', '.join(jobs)}", flush=True)
        return jobs


def begun(reader):
    """A1: infrastructure, workflows, config and app, with the reader's names."""
    reader.step("A1")
    for file in sorted((reader.work / ".github/workflows").iterdir()):
        lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
        left = [line for line in lines if re.search(r"OWNER|@0{40}|shop|-web\b", line)]
        check(not left, f"{file.name} has the reader's names {left or ''}")
    check((reader.work / "Dockerfile").exists(), "a repository without a Dockerfile gets the app")


def bootstrapped(reader):
    """A2 and A3: the stack of bootstrap.yml. The repository is new, so its tokens have ids."""
    look, ids, stack = blocks(reader.steps["A2"])
    reader.types(look)
    reader.stage.repository = reader.types(ids).strip()
    check(reader.stage.repository == WITH_IDS, "the repository with its ids")
    stack = reader.types(stack.replace("Repository=octo-org/shop", f"Repository=octo-org/shop RepositoryWithIds={WITH_IDS}"))
    check("Successfully created/updated stack - stage-bootstrap" in stack, "the stack of bootstrap.yml")
    # moto gives no outputs for a stack that a change set made.
    outputs = re.findall(r"^  (\w+):$", (ROOT / "infra/bootstrap.yml").read_text().split("\nOutputs:\n")[1], re.M)
    check(outputs == ["StateBucket", "PlanRole", "ApplyRole"], "its three outputs are those of the page")
    reader.stage.attaches()
    reader.trusts("stage-infra-plan", "pull_request")
    reader.trusts("stage-infra-apply", "environment:infrastructure")
    settings = [block for block in blocks(reader.steps["A3"], "hcl") if block.startswith("repository_with_ids = ")]
    check(len(settings) == 1, "A3 shows the setting for tokens with ids")
    text = re.sub(r'".*"', f'"{WITH_IDS}"', settings[0])
    (reader.work / "infra/terraform/roles/terraform.tfvars").write_text(text)


def planned(reader):
    """A4 and A5: the environments, and the comment on the pull request."""
    reader.step("A4")
    check(reader.called("gh", "PUT", "repos/octo-org/stage/environments/production-traffic"), "three environments")
    reader.step("A5")
    check(reader.called("gh", "pr", "create"), "a pull request")
    pull = {"number": "1", "pull_request": {"number": "1", "head": {"repo": {"full_name": "octo-org/stage"}}}}
    reader.starts("infrastructure-plan.yml", "pull_request", event=pull, event_name="pull_request")
    comment = (reader.calls.parent / "comment.md").read_text()
    check("- create `aws_vpc.this`" in comment and "- create `aws_ecr_repository.this`" in comment, "the comment has the changes")
    for directory, needs in NEEDS.items():
        check(f"{directory} needs {needs}: apply that first." in comment, f"{directory} needs {needs}")


def applied(reader):
    """A6 and A7: the merge applies everything, production answers, and doctor finds nothing."""
    reader.git(reader.work, "push", "--quiet", "origin", "infrastructure:main")
    jobs = reader.starts("infrastructure-apply.yml")
    check("failure" in vars(jobs["before"]), "Status before fails this one time")
    check("- create `aws_ecs_service.color" in jobs["change"].summary.read_text(), "the summary names each change")
    said = reader.types("\n".join(line for line in blocks(reader.steps["A6"])[0].splitlines() if not line.startswith("curl ")))
    check("production" in said and "develop" in said, "the addresses of production and of each color")
    check(reader.stage.asks()[0] == 503, "production answers with 503 before the first release")
    said = reader.types("infra/run output services")
    config = (reader.work / ".github/blue-green.yml").read_text()
    check(all(line.strip() in said.replace('"', "") for line in config.splitlines()), "the output `config` is the config file")
    reader.step("A7")
    log = reader.starts("doctor.yml")["doctor"].log
    check("Nothing was found: each command can start." in log, "doctor finds nothing")


def released(reader):
    """A8: a push goes to green, the promotion brings users there; later some users move first, and back."""
    push, promote, move = blocks(reader.steps["A8"])
    first = pushed(reader, push, "green")
    reader.types(promote)
    check(reader.called("gh", "workflow", "run", "promote.yml", "color=green"), "the promotion of green")
    reader.starts("promote.yml", inputs={"color": "green"})
    check(first in reader.stage.asks()[1], "users get the first version")
    (reader.work / "README.md").write_text("# Stage, again\n")
    second = pushed(reader, push.replace("git switch main && git pull\n", ""), "blue")
    reader.types(move)
    reader.starts("redirect-traffic.yml", inputs={"traffic": "green-80", "force": False})
    answers = {reader.stage.asks()[1].strip() for _ in range(60)}
    check(any(first in one for one in answers) and any(second in one for one in answers), "some users get the second version")
    reader.starts("rollback.yml", inputs={"color": "green", "force": False})
    check(all(first in reader.stage.asks()[1] for _ in range(20)), "the button brings all users back")


def pushed(reader, block, color):
    """A push to main is deployed to a color. Gives the commit."""
    reader.types(block)
    sha = reader.git(reader.work, "rev-parse", "HEAD").strip()
    check(reader.git(reader.origin, "rev-parse", "main").strip() == sha, "the push is on main")
    log = reader.starts("deploy-on-push.yml")["deploy"].log
    check(re.search(rf"succeeded.*\b{color}\b", log), f"the push is deployed to {color}")
    return sha


def mistyped(reader):
    """The button destroys nothing if another name is typed, whatever the approval."""
    inputs = {"command": "destroy", "directory": "all", "name": "shop", "allow-replace": ""}
    try:
        reader.starts("infrastructure-apply.yml", inputs=inputs)
    except Failed as error:
        check("nothing is destroyed: to destroy all, type the name, stage" in str(error), "the button wants the name to be typed")
        return
    raise Failed("the button destroyed without the name")


def walk_the_page(reader):
    """The whole of path A."""
    for part in (begun, bootstrapped, planned, applied, released, mistyped):
        part(reader)
