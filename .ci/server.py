"""A server on this machine, for the length of a `with` block."""

import subprocess
import time
import urllib.request
from pathlib import Path

from bed import Failed


class Server:
    """A process that answers HTTP."""

    def __init__(self, command, url, log, environment=None):
        """`url` is asked until it answers, and `log` gets what the process prints. Nothing runs yet."""
        self.command, self.url, self.log, self.environment = command, url, Path(log), environment

    def __enter__(self):
        """Starts it and waits until it answers."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + 60
        while True:
            try:
                self.open(self.url, timeout=5)
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Failed(f"{self.command[0]} did not start: {self.log.read_text()}") from None
                time.sleep(0.1)

    def __exit__(self, *_):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)

    def open(self, request, timeout=10):
        """The answer to a request, past any proxy of the environment."""
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout)
