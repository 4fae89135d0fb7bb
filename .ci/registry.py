"""A registry of images on this machine (Debian's package docker-registry), for the length of a `with` block."""

import json
import tempfile
import urllib.request
from pathlib import Path

from bed import free_port
from server import Server

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


class Registry(Server):
    """Holds images in a folder of its own."""

    def __init__(self):
        """Knows the folder and the address; nothing runs yet."""
        self.folder = tempfile.TemporaryDirectory(prefix="registry-")
        home, self.address = Path(self.folder.name), f"127.0.0.1:{free_port()}"
        (home / "config.yml").write_text(CONFIG.format(folder=home / "images", address=self.address))
        super().__init__(["docker-registry", "serve", home / "config.yml"], f"http://{self.address}/v2/", home / "log")

    def __exit__(self, *_):
        """Ends it."""
        super().__exit__()
        self.folder.cleanup()

    def get(self, path):
        """An object of the registry's API, as bytes."""
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", headers={"Accept": f"{INDEX}, {MANIFEST}"})
        with self.open(request) as answer:
            return answer.read()

    def manifest(self, name, reference):
        """A manifest or index, by tag or digest."""
        return json.loads(self.get(f"{name}/manifests/{reference}"))

    def compressed(self, manifest):
        """The bytes that a pull of an image fetches: its configuration and its layers."""
        return manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])
