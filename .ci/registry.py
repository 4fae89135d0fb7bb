"""A registry of images on this machine (Debian's package docker-registry), for the length of a `with` block."""

import json
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from bed import Failed
from truth import free_port

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Holds images in a folder of its own."""

    def __init__(self):
        """Knows where it will be; nothing runs yet."""
        self.address = f"127.0.0.1:{free_port()}"
        self.folder = tempfile.TemporaryDirectory(prefix="registry-")

    def __enter__(self):
        """Starts it and waits until it answers."""
        home = Path(self.folder.name)
        port = self.address.split(":")[1]
        (home / "config.yml").write_text(CONFIG.format(folder=home / "images", port=port))
        with open(home / "log", "w") as log:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", home / "config.yml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + 30
        while True:
            try:
                self.get("")
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Failed(f"the registry did not start: {(home / 'log').read_text()}") from None
                time.sleep(0.1)

    def __exit__(self, *_):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()

    def get(self, path):
        """An object of the registry's API, as bytes."""
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", headers={"Accept": f"{INDEX}, {MANIFEST}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.read()

    def manifest(self, name, reference):
        """A manifest or index, by tag or digest."""
        return json.loads(self.get(f"{name}/manifests/{reference}"))

    def compressed(self, manifest):
        """The bytes that a pull of an image fetches: its configuration and its layers."""
        return manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])
