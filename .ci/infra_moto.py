"""moto's server, which notes each call as IAM names it: `infra_moto.py PORT FILE`. A line of the file has the action and the
resource, such as `iam:GetRole arn:aws:iam::123456789012:role/stage-task`."""

import re
import sys
from io import BytesIO
from urllib.parse import parse_qs, unquote

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request

ACCOUNT = "123456789012"
# The key of the checks themselves, whose calls are not noted.
CHECKS = "AKIAI44QH8DHBEXAMPLE"
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
# Parameters that name a resource of IAM.
OF_IAM = {"RoleName": "role", "InstanceProfileName": "instance-profile"}
# The action that a request for an object of S3 needs.
OF_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
OF_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket"}


def of_s3(request):
    """A call of S3, whose path is the resource."""
    bucket, _, key = unquote(request.path).strip("/").partition("/")
    name = (OF_OBJECT if key else OF_BUCKET).get(request.method, f"{request.method} {request.full_path}")
    return f"s3:{name}", f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def named(request, body):
    """The action and the resource of a call."""
    service = SCOPE.search(request.headers["Authorization"])[1]
    if service == "s3":
        return of_s3(request)
    if target := request.headers.get("X-Amz-Target"):
        return f"{service}:{target.rpartition('.')[2]}", "*"
    values = parse_qs(body.decode())
    names = [f"arn:aws:iam::{ACCOUNT}:{kind}/{values[key][0]}" for key, kind in OF_IAM.items() if key in values]
    # Adding a role to an instance profile is a change of the profile.
    resource = names[-1] if names else values.get("PolicyArn", ["*"])[0]
    service = "cloudwatch" if service == "monitoring" else service
    return f"{service}:{values.get('Action', [f'{request.method} {request.path}'])[0]}", resource


def noting(application, file):
    """The application, which writes each call down before it answers."""

    def answer(environ, start):
        request = Request(environ)
        if "Credential=" in request.headers.get("Authorization", "") and CHECKS not in request.headers["Authorization"]:
            body = request.get_data(cache=True) if "form" in (request.content_type or "") else b""
            with open(file, "a") as calls:
                calls.write(" ".join(named(request, body)) + "\n")
            if body:
                environ["wsgi.input"] = BytesIO(body)
        return application(environ, start)

    return answer


if __name__ == "__main__":
    application = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", int(sys.argv[1]), noting(application, sys.argv[2]), threaded=True)
