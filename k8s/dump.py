"""Reduces an Envoy config dump (stdin) to what is FinPay's and the same in every run (stdout); see k8s/dump."""

import json
import re
import sys

PORTS = {"auth-service": 3001, "payment-service": 3002, "order-service": 3003}
GATEWAY_PORT = 8080
HOST = ".finpay.svc.cluster.local"
# Istio's own, the same everywhere; every other address is somebody's.
FIXED_ADDRESSES = {"0.0.0.0", "127.0.0.1", "127.0.0.6"}
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


def section(dump, name):
    """One of the dump's parts, such as `Clusters`; empty where the proxy has none."""
    wanted = f"envoy.admin.v3.{name}ConfigDump"
    return next((part for part in dump["configs"] if part["@type"].endswith(wanted)), {})


def listener(dump, name):
    """A listener by its name."""
    for item in section(dump, "Listeners").get("dynamic_listeners", []):
        if item["name"] == name:
            return item["active_state"]["listener"]
    raise SystemExit(f"the dump has no listener {name}")


def chain(chains, wanted):
    """The one filter chain that `wanted` accepts."""
    found = [item for item in chains if wanted(item)]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} filter chains where one was expected")
    return found[0]


def http(item):
    """Whether a filter chain speaks HTTP."""
    return item["filters"][-1]["name"] == "envoy.filters.network.http_connection_manager"


def routes(dump, name):
    """A route configuration, less the virtual hosts of other namespaces."""
    for item in section(dump, "Routes").get("dynamic_route_configs", []):
        config = item["route_config"]
        if config["name"] == name:
            hosts = config["virtual_hosts"]
            config["virtual_hosts"] = [
                host for host in hosts if "*" in host["domains"] or HOST in host["name"]
            ]
            return config
    raise SystemExit(f"the dump has no routes {name}")


def sidecar(dump, port):
    """The service's own filter chain, and one listener for each service that it may call."""
    inbound = listener(dump, "virtualInbound")["filter_chains"]
    reduced = {
        "inbound": {
            "chain": chain(
                inbound, lambda item: item.get("filter_chain_match", {}).get("destination_port") == port
            )
        },
        "outbound": {},
    }
    for service, called in PORTS.items():
        chains = listener(dump, f"0.0.0.0_{called}")["filter_chains"]
        reduced["outbound"][service] = {"chain": chain(chains, http), "route_config": routes(dump, str(called))}
    return reduced


def gateway(dump):
    """The listener and routes of one port: the other ports differ in their number alone."""
    chains = listener(dump, f"0.0.0.0_{GATEWAY_PORT}")["filter_chains"]
    return {"gateway": {"chain": chain(chains, http), "route_config": routes(dump, f"http.{GATEWAY_PORT}")}}


def clusters(dump, inbound):
    """FinPay's clusters by name."""
    found = [item["cluster"] for item in section(dump, "Clusters").get("dynamic_active_clusters", [])]
    return {
        cluster["name"]: cluster
        for cluster in found
        if cluster["name"] == inbound or cluster["name"].endswith(HOST)
    }


def constant(value):
    """The same less addresses and the place of a module that pilot-agent fetched."""
    if isinstance(value, dict):
        return {
            key: "(fetched)" if key == "filename" else constant(inner)
            for key, inner in value.items()
            if key not in ("last_updated", "version_info")
        }
    if isinstance(value, list):
        return [constant(inner) for inner in value]
    if isinstance(value, str):
        return ADDRESS.sub(lambda hit: hit[0] if hit[0] in FIXED_ADDRESSES else "(address)", value)
    return value


def main():
    """See the module."""
    workload = sys.argv[1]
    dump = json.load(sys.stdin)
    port = PORTS.get(workload)
    reduced = gateway(dump) if port is None else sidecar(dump, port)
    reduced["clusters"] = clusters(dump, f"inbound|{port}||")
    filters = (item["ecds_filter"] for item in section(dump, "Ecds").get("ecds_filters", []))
    reduced["filters"] = {item["name"]: item["typed_config"] for item in filters}
    json.dump(constant(reduced), sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
