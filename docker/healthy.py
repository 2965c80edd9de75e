"""Whether this container serves: an address to GET, or `grpc://host:port` to ask by the health protocol."""

import sys
import urllib.request

TIMEOUT_S = 4


def serves(address: str) -> bool:
    """False, or an exception of the transport, when it does not."""
    if not address.startswith("grpc://"):
        # A proxy of the environment has no business between us and ourselves.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(address, timeout=TIMEOUT_S) as reply:
            return reply.status == 200
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address.removeprefix("grpc://"), [("grpc.enable_http_proxy", 0)]) as channel:
        request = health_pb2.HealthCheckRequest()
        reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
    return reply.status == health_pb2.HealthCheckResponse.SERVING


if __name__ == "__main__":
    try:
        sys.exit(0 if serves(sys.argv[1]) else 1)
    except Exception as error:
        print(f"{sys.argv[1]}: {type(error).__name__}", file=sys.stderr)
        sys.exit(1)
