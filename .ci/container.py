"""Builds the image and runs the action as the runner does, against the testbed: a deploy passes; one that is stopped
midway leaves in time; after one that is killed, the post step puts the color back. Fails without a container engine.

`--has-engine` only tells by the exit code whether an engine runs here or could be started."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml
from bed import ROOT, Bed, Failed, check, get

IMAGE = "ecs-blue-green:ci"

# What dockerd may need where the kernel or the container around it gives less than a machine of its own.
DAEMON_FLAGS = [
    [],
    ["--iptables=false", "--ip6tables=false", "--bridge=none"],
    ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"],
]


def builds(client):
    """Whether this client speaks to an engine and has BuildKit, which came as a plug-in with version 23."""
    version = subprocess.run(
        [client, "version", "--format", "{{.Client.Version}}"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if version.returncode != 0:
        return False
    major = int(re.match(r"\d+", version.stdout)[0])
    return major < 23 or subprocess.run([client, "buildx", "version"], capture_output=True).returncode == 0


def clients():
    """Docker's clients on this machine; the first may lack BuildKit."""
    found = [shutil.which("docker"), "/usr/bin/docker"]
    return [client for client in dict.fromkeys(found) if client and os.access(client, os.X_OK)]


@contextmanager
def daemon(flags, folder):
    """A dockerd of our own for the length of a `with` block, with everything that it writes in a folder of its own."""
    socket = f"unix://{folder}/docker.sock"
    paths = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    with open(f"{folder}/log", "w") as log:
        process = subprocess.Popen(
            ["dockerd", f"--host={socket}", *paths, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    os.environ["DOCKER_HOST"] = socket
    try:
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not any(map(builds, clients())):
            time.sleep(0.3)
        yield
    finally:
        del os.environ["DOCKER_HOST"]
        process.terminate()
        process.wait(60)
        subprocess.run(["umount", "--recursive", "--quiet", f"{folder}/data"], stderr=subprocess.DEVNULL)


def engine(stack):
    """The client of an engine that can build: the one that runs here, or one that is started until the stack ends."""
    if client := next(filter(builds, clients()), None):
        return client
    if not shutil.which("dockerd"):
        raise Failed("there is no container engine with BuildKit, and no dockerd to start one")
    for flags in DAEMON_FLAGS:
        attempt = ExitStack()
        folder = attempt.enter_context(tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True))
        attempt.enter_context(daemon(flags, folder))
        client = next(filter(builds, clients()), None)
        if client and works(client):
            print(f"  started dockerd {' '.join(flags)}".rstrip(), flush=True)
            stack.push(attempt)
            return client
        print("".join(open(f"{folder}/log").readlines()[-5:]), file=sys.stderr)
        attempt.close()
    raise Failed("couldn't start a container engine that builds and runs the image; see dockerd's log above")


def works(client):
    """Builds the image and starts it once: without a command it refuses."""
    build = [client, "build", "--quiet", "--build-arg", "BINARY=prebuilt", "--tag", IMAGE, str(ROOT)]
    done = subprocess.run(build, env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True, text=True)
    if done.returncode == 0:
        done = subprocess.run([client, "run", "--rm", "--network=host", IMAGE], capture_output=True, text=True)
    if done.returncode != 1:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 1


class Job:
    """One step of a workflow, in the folders that the runner would mount."""

    def __init__(self, client, bed, folder, inputs):
        """Makes the folders and the environment of the step."""
        self.client = client
        self.folder = Path(folder)
        for name in ["workspace", "home", "file_commands", "workflow"]:
            (self.folder / name).mkdir()
        (self.folder / "workflow/event.json").write_text("{}")
        self.action = yaml.safe_load((ROOT / "action.yml").read_text())
        self.variables = {
            "HOME": "/github/home",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": "/github/workspace",
            "GITHUB_EVENT_PATH": "/github/workflow/event.json",
            "GITHUB_REPOSITORY": "shop/web",
            "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
            "GITHUB_REF_NAME": "main",
            "GITHUB_RUN_ID": "42",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.example",
            **bed.variables,
        }
        for name, about in self.action["inputs"].items():
            # The runner evaluates a default; this job has no token.
            default = about.get("default", "").replace("${{ github.token }}", "")
            self.variables[f"INPUT_{name.upper()}"] = inputs.pop(name, default)
        if inputs:
            raise Failed(f"action.yml has no inputs {', '.join(inputs)}")

    def command(self, step, entrypoint):
        """The runner's `docker run` for the main or post step, with file commands of its own."""
        for name in ["OUTPUT", "STATE", "STEP_SUMMARY", "ENV"]:
            (self.folder / f"file_commands/{step}_{name}").touch()
            self.variables[f"GITHUB_{name}"] = f"/github/file_commands/{step}_{name}"
        words = [self.client, "run", "--rm", "--name", f"{self.folder.name}-{step}", "--workdir", "/github/workspace"]
        for name in self.variables:
            words += ["-e", name]
        for name in ["home", "workflow", "file_commands", "workspace"]:
            words += ["-v", f"{self.folder / name}:/github/{name}"]
        return [*words, "--network", "host", "--entrypoint", self.action["runs"][entrypoint], IMAGE]

    def start(self, step="main", entrypoint="entrypoint"):
        """Starts a step."""
        command = self.command(step, entrypoint)
        self.process = subprocess.Popen(
            command, env={**os.environ, **self.variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait(self, timeout=90):
        """Waits for the end of the step; gives its exit code and log, which goes to our log too."""
        log, _ = self.process.communicate(timeout=timeout)
        print("".join(f"    | {line}\n" for line in log.splitlines()), end="", flush=True)
        return self.process.returncode, log

    def end(self, how):
        """`docker stop` (SIGTERM, and SIGKILL 10 s later) or `docker kill`. Gives the seconds that it took."""
        began = time.monotonic()
        subprocess.run([self.client, how, f"{self.folder.name}-main"], check=True, capture_output=True)
        return time.monotonic() - began

    def values(self, name, step="main"):
        """What a step wrote into a file of `name<<DELIMITER` blocks, read as the runner does."""
        lines = iter((self.folder / f"file_commands/{step}_{name}").read_text().splitlines())
        found = {}
        for line in lines:
            key, delimiter = line.split("<<", 1)
            found[key] = "\n".join(iter(lambda: next(lines), delimiter))
        return found

    def post(self):
        """Runs the post step with the state that the main step saved."""
        self.variables.update({f"STATE_{name}": value for name, value in self.values("STATE").items()})
        self.start("post", "post-entrypoint")
        return self.wait()

    def left_nothing(self):
        """The workspace is as it was."""
        check(not list((self.folder / "workspace").iterdir()), "nothing is left in the workspace")


def inputs(image):
    """The inputs of a deploy of this image to the idle color of the sample stack."""
    return {
        "command": "deploy",
        "cluster": "shop",
        "blue-service": "web-blue",
        "green-service": "web-green",
        "image": image,
        "poll-interval": "500ms",
        "timeout": "2m",
    }


def deploys(client, bed, folder):
    """A deploy passes, and its outputs say so."""
    print("a deploy", flush=True)
    job = Job(client, bed, folder, inputs(f"{bed.repository}:v2"))
    job.start()
    code, log = job.wait()
    out = job.values("OUTPUT")
    check(code == 0 and out.get("result") == "succeeded", f"exit code {code}, result {out.get('result')}")
    check(out["color"] == "green" and out["live-color"] == "blue", "it went to green, and blue is live")
    arn = bed.service("shop", "web-green")["taskDefinition"]
    check(out["task-definition-arn"] == arn, f"the output names what the service runs: {arn}")
    check(get(bed.ports["green"]) == (200, "v2"), "green answers v2")
    check(get(bed.ports["production"]) == (200, "v1"), "users get v1")
    check((job.folder / "file_commands/main_STEP_SUMMARY").read_text() != "", "there is a job summary")
    code, _ = job.post()
    check(code == 0 and bed.service("shop", "web-green")["taskDefinition"] == arn, "the post step leaves it alone")
    job.left_nothing()


def is_stopped(client, bed, folder):
    """A deploy that is stopped midway puts the color back itself, in time; the post step says so."""
    print("a deploy that is stopped midway", flush=True)
    job, found = slow_deploy(client, bed, folder)
    seconds = job.end("stop")
    code, _ = job.wait()
    check(seconds < 10 and code == 1, f"the main step left after {seconds:.1f} s with exit code {code}")
    check(job.values("OUTPUT").get("result") == "cancelled", "its result is `cancelled`")
    is_restored(bed, job, found)


def is_killed(client, bed, folder):
    """A deploy that is killed midway leaves everything to the post step, which puts the color back."""
    print("a deploy that is killed midway", flush=True)
    job, found = slow_deploy(client, bed, folder)
    job.end("kill")
    code, _ = job.wait()
    check(code == 137, f"the main step was killed: {code}")
    is_restored(bed, job, found)


def slow_deploy(client, bed, folder):
    """Starts a deploy to green whose tasks start slowly; gives the job and the service as it was found."""
    tag = "v9-start-60s"
    bed.aws("ecr", "put-image", repository_name="shop/web", image_tag=tag, image_manifest="{}")
    # A minute at the testbed's pace, or ECS would give up on the slow tasks before the run is ended.
    grace = {"cluster": "shop", "service": "web-green", "health_check_grace_period_seconds": "3000"}
    bed.aws("ecs", "update-service", **grace)
    found = bed.service("shop", "web-green")
    job = Job(client, bed, folder, inputs(f"{bed.repository}:{tag}"))
    job.start()
    try:
        wait_for("the new deployment is in progress", lambda: len(bed.service("shop", "web-green")["deployments"]) == 2)
    except Failed:
        job.end("kill")
        job.wait()
        raise
    return job, found


def is_restored(bed, job, found):
    """After the post step green is as it was found."""
    code, _ = job.post()
    check(code in (0, 1), f"the post step exits with {code}")
    wait_for("one deployment is left", lambda: len(bed.service("shop", "web-green")["deployments"]) == 1)
    now = bed.service("shop", "web-green")
    for key in ["taskDefinition", "desiredCount", "runningCount"]:
        check(now[key] == found[key], f"{key} of green is {found[key]} again")
    check(get(bed.ports["green"]) == (200, "v2"), "green answers v2")
    check(get(bed.ports["production"]) == (200, "v1"), "users get v1")
    job.left_nothing()


def wait_for(text, is_so, seconds=40):
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {text}")
        time.sleep(0.3)
    print(f"  ok: {text}", flush=True)


def main():
    """All checks; the first that does not hold ends them."""
    with ExitStack() as stack:
        client = engine(stack)
        check(works(client), "the image is built, and refuses to run without a command")
        bed = stack.enter_context(Bed())
        for scene in [deploys, is_stopped, is_killed]:
            # What root wrote in the container, nobody else can delete.
            folder = tempfile.TemporaryDirectory(prefix="runner-", ignore_cleanup_errors=True)
            scene(client, bed, stack.enter_context(folder))


if __name__ == "__main__":
    if sys.argv[1:] == ["--has-engine"]:
        sys.exit(0 if any(map(builds, clients())) or shutil.which("dockerd") else 1)
    try:
        main()
    except Failed as failed:
        sys.exit(f"container: {failed}")
