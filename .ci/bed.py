"""The testbed as a process, and the AWS CLI that talks to it."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A check that did not hold; the text is what the reader of the log gets."""


def check(holds, text):
    """Says what holds, or ends with what does not."""
    if not holds:
        raise Failed(text)
    print(f"  ok: {text}", flush=True)


class Bed:
    """`testbed serve --fast`, for the length of a `with` block. Not fast, AWS's seconds are real ones."""

    def __init__(self, fast=True):
        """Knows where the binary is; nothing runs yet."""
        self.pace = ["--fast"] if fast else []
        self.binary = ROOT / "target/debug/testbed"
        self.variables = {}
        self.github = {}
        self.ports = {}
        self.repository = ""

    def __enter__(self):
        """Starts it and reads the variables that it prints: AWS's, and apart from them GitHub's."""
        self.process = subprocess.Popen(
            [self.binary, "serve", *self.pace], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if export := re.fullmatch(r"export (\w+)=(\S+)\n", line):
                of_github = export[1].startswith(("GITHUB_", "ACTIONS_"))
                (self.github if of_github else self.variables)[export[1]] = export[2]
            elif port := re.match(r"# (\w+) +http://127\.0\.0\.1:(\d+)/", line):
                self.ports[port[1]] = int(port[2])
            elif images := re.match(r"# images +([^:]+):", line):
                self.repository = images[1]
                return self
        raise Failed(f"the testbed ended with {self.process.wait()} before it said where it is")

    def __exit__(self, *_):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)

    def obeys(self, line):
        """Has a line carried out, such as `policies DIR` (docs/testbed.md)."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        for answer in self.process.stdout:
            if answer == f"# done: {line}\n":
                return
            if not answer.startswith("# invariant "):
                raise Failed(f"the testbed answered `{line}` with: {answer}")
        raise Failed(f"the testbed ended before it carried out `{line}`")

    def environment(self):
        """A cleared environment that points any AWS client here. HOME is empty: no configuration of the user's counts."""
        home = tempfile.gettempdir() + "/nobody"
        return {"PATH": os.environ["PATH"], "HOME": home, "PYTHONDONTWRITEBYTECODE": "1", **self.variables}

    def run(self, program, *words, code=0):
        """Runs `aws` or `ecs` under .ci/strict.py, which fails on any answer that AWS could not have given. Gives what
        was printed."""
        command = [sys.executable, ROOT / ".ci/strict.py", program, *words]
        done = subprocess.run(
            command, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180
        )
        shown = " ".join([program, *words])
        if done.returncode != code:
            raise Failed(f"`{shown}` exited with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stdout + done.stderr

    def aws(self, *words, code=0, **options):
        """Runs the AWS CLI; options become `--name value`, anything but a text as JSON. Gives the answer, parsed."""
        for name, value in options.items():
            text = value if isinstance(value, str) else json.dumps(value)
            words += ("--" + name.replace("_", "-"), text)
        out = self.run("aws", *words, code=code)
        return out if code else json.loads(out or "{}")

    def service(self, cluster, name):
        """A service as AWS describes it."""
        return self.aws("ecs", "describe-services", cluster=cluster, services=name)["services"][0]


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def get(port, path="/"):
    """Status and body of one request on a fresh connection, past any proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()
