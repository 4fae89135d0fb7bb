#!/usr/bin/env python3
"""Lists what a plan of Terraform changes, and refuses a plan that takes away what users' traffic needs: a production
listener or rule, or the load balancer, a target group or a service of blue or green; or that writes a production split.

    changes.py DIRECTORY PLAN [SUMMARY] [allow-replace]

PLAN is the output of `terraform show -json`. SUMMARY is a file that gets the list as Markdown: names and no values.
Exits with 1 if the plan is refused."""

import json
import sys

GUARDED = ("aws_lb", "aws_lb_listener", "aws_lb_listener_rule", "aws_lb_target_group", "aws_ecs_service", "aws_ecs_cluster")
SPLITS = {"aws_lb_listener": "default_action", "aws_lb_listener_rule": "action"}
WORDS = {
    ("create",): "create", ("update",): "change", ("delete",): "delete", ("read",): "", ("no-op",): "",
    ("delete", "create"): "replace", ("create", "delete"): "replace", ("forget",): "forget",
}  # fmt: skip

GONE = {"delete": "deleted", "replace": "replaced", "forget": "forgotten"}


def serves_users(change):
    """Whether users' traffic needs the resource. Test listeners, develop, and the redirect to HTTPS may go."""
    if change.get("mode") != "managed" or change["type"] not in GUARDED:
        return False
    return change.get("index") != "develop" and change.get("name") not in ("test", "redirect")


def parts(change):
    """The names of the arguments that change."""
    before, after = change["change"].get("before") or {}, change["change"].get("after") or {}
    unknown = change["change"].get("after_unknown") or {}
    return sorted(name for name in {*before, *after, *unknown} if before.get(name) != after.get(name) or unknown.get(name) is True)


def why_refused(change):
    """A sentence, if the change must not happen without `allow-replace`."""
    word = WORDS.get(tuple(change["change"]["actions"]), "change")
    if not serves_users(change):
        return None
    if word in GONE:
        return f"{change['address']} would be {GONE[word]}, and users' traffic needs it."
    if word == "change" and SPLITS.get(change["type"]) in parts(change):
        return f"{change['address']} would get another split. Splits are the action's: keep `ignore_changes`."
    return None


def line(change):
    """One line of the list."""
    word = WORDS.get(tuple(change["change"]["actions"]), "change")
    detail = f": {', '.join(parts(change))}" if word in ("change", "replace") else ""
    return f"- {word} `{change['address']}`{detail}"


def summary(directory, changes, refused):
    """The list as Markdown, short enough for a comment."""
    lines = [line(change) for change in changes]
    if len(lines) > 60:
        lines = [*lines[:60], f"- and {len(lines) - 60} more"]
    head = f"{len(changes)} changes" if len(changes) != 1 else "1 change"
    text = [f"### {directory}: {head if changes else 'no changes'}", "", *lines, ""]
    if refused:
        text += ["**Refused.** To allow it, run the apply by hand and type `allow-replace`.", "", *(f"- {why}" for why in refused), ""]
    return "\n".join(text) + "\n"


def main(directory, plan, *options):
    """Reads the plan, writes the list, and gives the exit code."""
    with open(plan) as file:
        every = json.load(file).get("resource_changes", [])
    changes = [change for change in every if WORDS.get(tuple(change["change"]["actions"]), "change")]
    refused = [] if "allow-replace" in options else [why for change in changes if (why := why_refused(change))]
    for path in (option for option in options if option != "allow-replace"):
        with open(path, "a") as file:
            file.write(summary(directory, changes, refused))
    for why in refused:
        print(f"{directory}: refused: {why}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
