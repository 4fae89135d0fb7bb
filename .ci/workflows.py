"""Runs a workflow as GitHub does, for what the shipped workflows use: jobs in the order of `needs`, expressions, `run` steps
in bash, the action's own steps as its binary. Other actions are known by what they give to later steps."""

import re
import subprocess
import tempfile
import uuid
from contextlib import nullcontext
from pathlib import Path

import yaml
from bed import ROOT, Failed

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PATHS = re.compile(r"(?<![\w'.-])(github|env|inputs|steps|needs|runner)((?:\.[\w-]+)+)")


def found(values, path):
    """The value at a dotted path; an empty text, as on GitHub, if there is none."""
    for name in path.strip(".").split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return "" if values is None else values


def evaluated(expression, context):
    """The value of one expression: paths, texts, `==`, `!=`, `!`, `&&`, `||` and the functions of a step's end."""
    texts = re.split(r"('[^']*')", expression)
    for i in range(0, len(texts), 2):
        part = PATHS.sub(lambda match: repr(found(context.get(match[1], {}), match[2])), texts[i])
        part = part.replace("!=", "≠").replace("!", " not ").replace("≠", "!=")
        texts[i] = part.replace("&&", " and ").replace("||", " or ")
    names = {"cancelled": lambda: False, "always": lambda: True, "success": lambda: True, "true": True, "false": False}
    return eval("".join(texts).strip(), {"__builtins__": {}}, names)  # noqa: S307 - the project's own files


def filled(value, context):
    """A value of the workflow with its expressions filled in, as text."""
    if isinstance(value, bool):
        return str(value).lower()

    def one(match):
        got = evaluated(match[1], context)
        return str(got).lower() if isinstance(got, bool) else str(got)

    return re.sub(r"\$\{\{(.*?)\}\}", one, str(value))


def outputs(file):
    """What a step wrote into GITHUB_OUTPUT."""
    values, lines = {}, iter(Path(file).read_text().splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        if end and "=" not in name:
            part = []
            while (text := next(lines)) != end:
                part.append(text)
            values[name] = "\n".join(part)
        else:
            name, _, values[name] = line.partition("=") if "=" in line else (line, "", "")
    return values


class Job:
    """One job on a runner of its own: a checkout, and variables."""

    def __init__(self, runner, text, name, event):
        """Knows the workflow; nothing runs yet."""
        self.runner, self.text, self.name, self.event = runner, text, name, event
        self.home = Path(tempfile.mkdtemp(dir=runner.home))
        self.summary = self.home / "summary.md"
        self.summary.touch()
        self.log, self.region, self.role = "", {}, None
        place = text.get("environment")
        self.subject = f"environment:{place}" if place else event["subject"]

    def runs(self, context):
        """Runs the steps; gives the job's outputs. Fails as the first step that fails."""
        steps, failure = {}, None
        for step in self.text["steps"]:
            context = {**context, "steps": steps}
            if failure and "cancelled" not in str(step.get("if", "")):
                continue
            try:
                made = self.step(step, context)
                steps[step.get("id", "")] = {"outputs": made}
            except Failed as error:
                failure = failure or error
        if failure:
            raise failure
        return {name: filled(value, context) for name, value in self.text.get("outputs", {}).items()}

    def step(self, step, context):
        """Runs one step; gives its outputs."""
        uses, values = step.get("uses", ""), {name: filled(value, context) for name, value in step.get("with", {}).items()}
        if uses.startswith("aws-actions/configure-aws-credentials@"):
            self.role = values["role-to-assume"]
            self.runner.trusts(self.role, self.subject)
            self.region = {"AWS_REGION": values["aws-region"], "AWS_DEFAULT_REGION": values["aws-region"]}
        elif uses.startswith("actions/checkout@"):
            self.runner.checks_out(self.home / "work", self.event["sha"])
        elif uses.startswith("aws-actions/amazon-ecr-login@"):
            return {"registry": REGISTRY}
        elif uses.startswith(self.runner.action):
            return self.acts(values)
        elif "run" in step:
            return self.shell(step, context)
        elif not uses.startswith("hashicorp/setup-terraform@"):
            raise Failed(f"{self.name}: no runner here knows `{uses}`")
        return {}

    def variables(self):
        """What each step has in its environment."""
        file = self.home / f"output-{uuid.uuid4()}"
        file.touch()
        return file, {
            **self.runner.environment, **self.region, "GITHUB_OUTPUT": str(file), "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.home), "GITHUB_REPOSITORY": self.runner.repository,
        }  # fmt: skip

    def shell(self, step, context):
        """A `run` step, by the role that an earlier step assumed."""
        file, environment = self.variables()
        for level in (self.runner.file.get("env", {}), step.get("env", {})):
            environment.update({name: filled(value, context) for name, value in level.items()})
        with self.runner.permissions(self.role, self.subject) if self.role else nullcontext():
            self.done(["bash", "-e", "-o", "pipefail", "-c", step["run"]], environment, step.get("name", "a step"))
        return outputs(file)

    def acts(self, values):
        """A step of the action, with its defaults, by its role and with no other permission. Users settle in seconds here."""
        file, _ = self.variables()
        unknown = set(values) - set(ACTION["inputs"])
        if unknown:
            raise Failed(f"{self.name}: the action has no input {unknown}")
        inputs = {name: filled(one.get("default", ""), {}) for name, one in ACTION["inputs"].items()}
        environment = {
            **self.runner.of_action(), "GITHUB_OUTPUT": str(file), "GITHUB_STEP_SUMMARY": str(self.summary),
            **{f"INPUT_{name.upper()}": value for name, value in {**inputs, "settle": "2s", **values}.items()},
        }  # fmt: skip
        with self.runner.permissions(values["role-to-assume"], self.subject):
            self.done([ROOT / "target/debug/ecs-blue-green"], environment, values["command"])
        return outputs(file)

    def done(self, command, environment, shown):
        """Runs a command in the checkout; its output goes to the job's log."""
        work = self.home / "work"
        work.mkdir(exist_ok=True)
        ended = subprocess.run(
            command, env=environment, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=580,
        )  # fmt: skip
        self.log += ended.stdout
        if ended.returncode:
            raise Failed(f"{self.name}: {shown} exited with {ended.returncode}:\n{ended.stdout[-6000:]}")


class Runner:
    """A repository's runner."""

    def __init__(self, home, repository, action, environment):
        """`action` is the text that the action's steps begin with, `environment` what each step has."""
        self.home, self.repository, self.action, self.environment = Path(home), repository, action, environment
        self.file = {}

    def run(self, file, sha, subject, inputs=None, **event):
        """Runs a workflow; gives its jobs by name. Fails as its first job that fails and may not."""
        self.file = yaml.safe_load(Path(file).read_text())
        jobs, needs, broken = {}, {}, None
        github = {"sha": sha, "repository": self.repository, "token": "t", "run_id": "1", "run_attempt": "1", **event}
        for name, text in self.file["jobs"].items():
            asked = text.get("needs", [])
            asked = [asked] if isinstance(asked, str) else asked
            context = {"github": github, "inputs": inputs or {}, "needs": needs, "runner": {}, "env": {}}
            context["env"] = {key: filled(value, context) for key, value in self.file.get("env", {}).items()}
            if any(one not in needs for one in asked) or not evaluated(str(text.get("if", "true")), context):
                continue
            job = jobs[name] = Job(self, text, name, {"sha": sha, "subject": subject})
            context["runner"] = {"temp": str(job.home)}
            try:
                needs[name] = {"outputs": job.runs(context), "result": "success"}
            except Failed as error:
                if not text.get("continue-on-error"):
                    broken = broken or error
                    continue
                job.failure = str(error)
                needs[name] = {"outputs": {}, "result": "success"}
        if broken:
            raise broken
        return jobs


