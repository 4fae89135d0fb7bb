"""Do the roles of bootstrap.yml allow what Terraform calls? The testbed enforces their policies itself; moto does not, so the
calls that it noted are compared with them here."""

from fnmatch import fnmatchcase

from bed import Failed, check


# The older provider asks IAM for the account's number first; refused, it asks STS, as today's does at once.
ANSWERED_ELSEWHERE = {"iam:GetUser"}


def listed(value):
    """A list, also of one text."""
    return value if isinstance(value, list) else [value]


def matches(statement, action, resource):
    """Whether a statement without conditions is about this call. IAM ignores the case of an action."""
    names = any(fnmatchcase(action.lower(), one.lower()) for one in listed(statement["Action"]))
    return names and "Condition" not in statement and any(fnmatchcase(resource, one) for one in listed(statement["Resource"]))


def allows(policies, action, resource):
    """Whether policies allow a call: one statement allows it and none denies it."""
    statements = [one for policy in policies.values() for one in policy["Statement"] if matches(one, action, resource)]
    return bool(statements) and all(one["Effect"] == "Allow" for one in statements)


def refused(policies, calls):
    """The calls that policies do not allow, each once."""
    return sorted({" ".join(call) for call in calls if not allows(policies, *call)})


def lacking(policies, word):
    """The policies without the actions that begin with a word."""
    kept = lambda one: [action for action in listed(one["Action"]) if not action.startswith(word)]
    return {name: {"Statement": [{**one, "Action": kept(one)} for one in policy["Statement"]]} for name, policy in policies.items()}


def compared(role, policies, calls):
    """Fails if a role made a call that its policies do not allow; and shows that this check would see one."""
    calls = [call for call in calls if call[0] not in ANSWERED_ELSEWHERE]
    if found := refused(policies, calls):
        raise Failed(f"{role} may not call {', '.join(found)}")
    services = sorted({action.split(":")[0] for action, _ in calls})
    for service in services:
        if not refused(lacking(policies, service + ":"), calls):
            raise Failed(f"without the actions of {service}, {role} could do the same")
    check(services, f"{role} may make its {len(calls)} calls to {', '.join(services)}, and not without the actions of each")
