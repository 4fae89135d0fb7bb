"""This action next to other tools, on the testbed: `.ci/run bench` writes the table of docs/comparison.md.

The lag is the time from the moment at which the testbed completes the deployment (`updatedAt` of the deployment) to the end of
the process. Each run has a testbed of its own, where AWS's seconds are real ones, and another deregistration delay.

OFFICIAL_ACTION is the path of `dist/index.js` of aws-actions/amazon-ecs-deploy-task-definition. Without the bundle, figures are
printed and the page is left as it is."""

import json
import os
import re
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bed import ROOT, Bed, Failed
from bench import BINARY, Counting, Run, counting, inputs

PAGE = ROOT / "docs/comparison.md"
BUNDLE = os.environ.get("OFFICIAL_ACTION", "")
ECS = Path(sys.executable).parent / "ecs"
# Deregistration delays of the runs that measure the lag, in seconds.
DELAYS = range(15, 115, 13)
RUNS = 5
AT_ONCE = 8
CRASH = "Exits with code 1"


class Tool:
    """A tool that deploys an image to green and waits."""

    def __init__(self, name, program, variables):
        """Its name in the table, its command line and its environment, both by testbed and tag."""
        self.name, self.program, self.variables = name, program, variables

    def run(self, bed, tag, **more):
        """One deploy."""
        program, variables = self.program(bed, tag), self.variables(bed, tag)
        return Run({**variables, **more}, program=program)


def client(bed, name):
    """A client of the testbed."""
    import botocore.session

    keys = {name.lower(): bed.variables[name] for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]}
    place = {"region_name": bed.variables["AWS_REGION"], "endpoint_url": bed.variables["AWS_ENDPOINT_URL"]}
    return botocore.session.get_session().create_client(name, **keys, **place)


def ours(bed, tag):
    """A deploy by this action, with its defaults."""
    return inputs(bed, "deploy", image=f"{bed.repository}:{tag}")


def definition_file(bed, tag):
    """The file of a task definition, as users of the official action keep it."""
    known = client(bed, "ecs").describe_task_definition(taskDefinition="web-green")["taskDefinition"]
    kept = ["family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn"]
    content = {name: known[name] for name in kept if name in known}
    content["containerDefinitions"][0]["image"] = f"{bed.repository}:{tag}"
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(content, file)
    return file.name


def official(minutes="30", delay=""):
    """A deploy by the official action, which waits for at most this many minutes, with a longest delay between two looks."""

    def variables(bed, tag):
        given = {
            "task-definition": definition_file(bed, tag),
            "service": "web-green",
            "cluster": "shop",
            "wait-for-service-stability": "true",
            "wait-for-minutes": minutes,
            "wait-max-delay-seconds": delay,
            "run-task": "false",
        }
        env = {f"INPUT_{name.upper()}": value for name, value in given.items()}
        return {**bed.variables, **env, "PATH": os.environ["PATH"], "GITHUB_WORKSPACE": "/"}

    return variables


def ecs_deploy(timeout):
    """The command line of ecs-deploy, with a limit in seconds."""

    def program(bed, tag):
        image = f"{bed.repository}:{tag}"
        return [ECS, "deploy", "shop", "web-green", "--image", "app", image, "--timeout", str(timeout)]

    return program


def environment(bed, _):
    """The environment of a command line."""
    return bed.environment()


def tools():
    """This action, and the tools that are there."""
    found = [Tool("this action", lambda *_: [BINARY], ours)]
    if BUNDLE:
        node = lambda *_: ["node", BUNDLE]  # noqa: E731
        found.append(Tool("official action", node, official()))
        found.append(Tool("official action, `wait-max-delay-seconds: 15`", node, official(delay="15")))
    found.append(Tool("ecs-deploy", ecs_deploy(1800), environment))
    return found


def good(tool):
    """Time, memory and requests of deploys of a good image, where AWS's seconds are short."""
    with Bed() as bed:
        runs = []
        for index in range(RUNS):
            runs.append(tool.run(bed, ["v2", "v1"][index % 2]))
            if runs[-1].code != 0:
                raise Failed(f"{tool.name} exited with {runs[-1].code}:\n{runs[-1].log}")
        with counting(bed) as proxied:
            tool.run(bed, "v1" if RUNS % 2 else "v2", **proxied)
        requests = sum(Counting.seen.values())
    seconds = statistics.median(run.ms for run in runs) / 1000
    return seconds, max(run.peak_mib for run in runs), requests


def crash(tool):
    """Time until a deploy of an image that crashes ends, and whether its log has the exit code of the container."""
    with Bed() as bed:
        done = tool.run(bed, "v3-crash")
    said = re.search(r"exit(ed|s)?( with)?( code)?:? ?1\b|exit code 1", done.log.lower())
    return done.ms / 1000, done.code, bool(said), done.log


def lag(tool, delay):
    """Seconds from the end of the deployment to the end of the run; none if the run ended before."""
    with Bed(fast=False) as bed:
        elb, ecs = client(bed, "elbv2"), client(bed, "ecs")
        service = lambda: ecs.describe_services(cluster="shop", services=["web-green"])["services"][0]  # noqa: E731
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
        group = service()["loadBalancers"][0]["targetGroupArn"]
        elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])
        done = tool.run(bed, "v2")
        deployment = service()["deployments"][0]
        if done.code != 0 or deployment["rolloutState"] != "COMPLETED":
            raise Failed(f"{tool.name} exited with {done.code}, {deployment['rolloutState']}:\n{done.log}")
        return done.ended - deployment["updatedAt"].timestamp(), done.ms / 1000


def lags(tool):
    """The lags of a tool, over all delays."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda delay: lag(tool, delay), DELAYS))
    return [lag for lag, _ in found], [took for _, took in found]
