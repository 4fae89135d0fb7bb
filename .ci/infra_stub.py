"""A provider that has the schema of the AWS provider and makes nothing: enough for `terraform validate`, and for
`terraform test` with `mock_provider`. Terraform starts it as a plugin. AWS_SCHEMA is the file of infra_schema.py."""

import base64
import json
import os
import tempfile
from concurrent import futures

import grpc
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2, tfplugin_pb2_grpc
from tf.runner import _self_signed_cert

NESTING = tfplugin_pb2.Schema.NestedBlock.NestingMode


def attribute(name, parts):
    """An attribute, as Terraform's plugin protocol has it."""
    flags = {flag: parts[flag] for flag in ("computed", "optional", "required")}
    return tfplugin_pb2.Schema.Attribute(name=name, type=json.dumps(parts["type"]).encode(), **flags)


def nested(name, parts):
    """A block inside of another."""
    bounds = {} if parts["nesting"] == "single" else {"min_items": parts["min"], "max_items": parts["max"]}
    mode = NESTING.Value(parts["nesting"].upper())
    return tfplugin_pb2.Schema.NestedBlock(type_name=name, block=block(parts["block"]), nesting=mode, **bounds)


def block(parts):
    """A block with its attributes and the blocks inside of it."""
    attributes = [attribute(*item) for item in parts["attributes"].items()]
    return tfplugin_pb2.Schema.Block(attributes=attributes, block_types=[nested(*item) for item in parts["blocks"].items()])


def schema(parts):
    """A block as a whole schema."""
    return tfplugin_pb2.Schema(version=0, block=block(parts))


class Provider(tfplugin_pb2_grpc.ProviderServicer):
    """The provider. A call that is not here is answered as unknown."""

    def GetProviderSchema(self, request, context):
        """Every type of the file."""
        with open(os.environ["AWS_SCHEMA"]) as file:
            known = json.load(file)
        return tfplugin_pb2.GetProviderSchema.Response(
            provider=schema(known["provider"]),
            resource_schemas={name: schema(parts) for name, parts in known["resource"].items()},
            data_source_schemas={name: schema(parts) for name, parts in known["data"].items()},
        )

    def ValidateProviderConfig(self, request, context):
        """Terraform itself has held it against the schema."""
        return tfplugin_pb2.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        """The same."""
        return tfplugin_pb2.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        """The same."""
        return tfplugin_pb2.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        """Nothing to configure."""
        return tfplugin_pb2.ConfigureProvider.Response()

    def StopProvider(self, request, context):
        """Nothing runs."""
        return tfplugin_pb2.StopProvider.Response()


class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    """Lets Terraform end the process."""

    def __init__(self, server):
        """Knows what to stop."""
        self.server = server

    def Shutdown(self, request, context):
        """Terraform needs it no longer."""
        self.server.stop(0)
        return grpc_controller_pb2.Empty()


class Output(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    """The plugin's output, which has none."""

    def StreamStdio(self, request, context):
        """Ends at once."""
        return iter([])


def main():
    """Serves on a socket, and says on the first line where that is, as Terraform asks of a plugin."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(Provider(), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(server), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Output(), server)
    with tempfile.TemporaryDirectory() as folder:
        certificate, credentials = _self_signed_cert()
        server.add_secure_port(f"unix://{folder}/socket", credentials)
        server.start()
        encoded = base64.b64encode(certificate).decode().rstrip("=")
        print(f"1|6|unix|{folder}/socket|grpc|{encoded}", flush=True)
        server.wait_for_termination()


if __name__ == "__main__":
    main()
