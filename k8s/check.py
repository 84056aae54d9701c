"""Validates manifests strictly: Kubernetes' kinds by their OpenAPI schemas, Istio's by their CRDs, others by schemas
of our own.

Run by `k8s/check`. Arguments: Istio's CRD file ("" to skip Istio's kinds), then the files to check.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

# What `kubernetes-validate` has schemas for and the oldest release that our fields need.
KUBERNETES = "1.30"

STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
LABELS = {"type": "object", "additionalProperties": STRING}


def exactly(required, **optional):
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def resource(spec):
    return exactly({"apiVersion": STRING, "kind": STRING, "metadata": {"type": "object"}, "spec": spec})


RELABELINGS = {
    "type": "array",
    "items": exactly(
        {"targetLabel": STRING, "replacement": STRING},
        sourceLabels=STRINGS,
        regex=STRING,
        action={"enum": ["replace"]},
    ),
}

# Kinds of neither project: only the fields that we use.
OTHERS = {
    ("monitoring.coreos.com/v1", "PodMonitor"): resource(
        exactly(
            {
                "selector": exactly({"matchLabels": LABELS}),
                "podMetricsEndpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": exactly(
                        {"port": STRING, "path": STRING},
                        interval={"type": "string", "pattern": "^[0-9]+s$"},
                        relabelings=RELABELINGS,
                        metricRelabelings=RELABELINGS,
                    ),
                },
            },
            namespaceSelector=exactly({"matchNames": STRINGS}),
        )
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): resource(
        exactly(
            {
                "groups": {
                    "type": "array",
                    "items": exactly(
                        {
                            "name": STRING,
                            "rules": {
                                "type": "array",
                                "items": exactly(
                                    {"alert": STRING, "expr": STRING, "labels": LABELS, "annotations": LABELS},
                                    **{"for": STRING},
                                ),
                            },
                        }
                    ),
                }
            }
        )
    ),
    ("gateway.networking.k8s.io/v1", "Gateway"): resource(
        exactly(
            {
                "gatewayClassName": STRING,
                "listeners": {
                    "type": "array",
                    "minItems": 1,
                    "items": exactly(
                        {
                            "name": STRING,
                            "port": {"type": "integer"},
                            "protocol": {"enum": ["HTTP", "HTTPS", "TLS", "TCP", "UDP", "HBONE"]},
                        }
                    ),
                },
            }
        )
    ),
}


def closed(schema):
    """A CRD's schema in which an unknown field is an error, as the API server's strict mode has it."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    keeps_unknown = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not keeps_unknown:
        result.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
    return result


def istio_schemas(path):
    schemas = {}
    with open(path, encoding="utf-8") as file:
        for crd in yaml.safe_load_all(file):
            if not crd:
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                schema = closed(version["schema"]["openAPIV3Schema"])
                properties = schema["properties"]
                # Common to all objects, and checked by the API server itself.
                properties.update({"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}})
                schemas[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return schemas


def by_schema(document, schema):
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]


def family(document):
    if (document["apiVersion"], document["kind"]) in OTHERS:
        return "others"
    return "istio" if ".istio.io/" in document["apiVersion"] else "kubernetes"


def faults(document, schemas):
    """What is wrong with a document; None if it was not checked."""
    api, kind = document["apiVersion"], document["kind"]
    if family(document) == "others":
        found = by_schema(document, OTHERS[api, kind])
        return found or (rule_faults(document) if kind == "PrometheusRule" else [])
    if family(document) == "istio":
        if schemas is None:
            return None
        if (api, kind) not in schemas:
            return [f"Istio has no {api} {kind}"]
        return by_schema(document, schemas[api, kind])
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(str(part) for part in error.path)}: {error.message}"]
    return []


def rule_faults(document):
    """Prometheus' own verdict on its expressions, where it is installed."""
    if not shutil.which("promtool"):
        return []
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(document["spec"], file)
        file.flush()
        run = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    return [run.stdout + run.stderr] if run.returncode else []


def plugin_config(documents, name):
    for document in documents:
        if document["kind"] == "WasmPlugin" and document["metadata"]["name"] == name:
            return document["spec"]["pluginConfig"]
    return None


def rules_of_our_own(documents, base):
    """What no schema knows. `base` are the documents of k8s/base/wasm-plugins.yaml."""
    titles = Counter((d["apiVersion"], d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents)
    for title, count in titles.items():
        if count > 1:
            yield f"{title[1]} {title[3]} is there {count} times"
    for document in documents:
        title = f"{document['kind']} {document['metadata']['name']}"
        if document["kind"] == "WasmPlugin":
            if "holdHeaders" in document["spec"]["pluginConfig"]:
                yield f"{title}: holdHeaders hangs every request of a WasmPlugin"
            if document["spec"].get("failStrategy") != "FAIL_CLOSE":
                yield f"{title}: not FAIL_CLOSE"
        if document["kind"] == "EnvoyFilter" and document["metadata"]["name"] == "amount-headers-held":
            if plugin_config(documents, "amount") is not None:
                yield f"{title}: the WasmPlugin amount is there too"
            config = document["spec"]["configPatches"][1]["patch"]["value"]["typed_config"]["config"]
            expected = {**plugin_config(base, "amount"), "holdHeaders": True}
            if json.loads(config["configuration"]["value"]) != expected:
                yield f"{title}: its configuration is not that of the WasmPlugin amount, with holdHeaders"
            if "replaced" in config["vm_config"]["code"]["remote"]["http_uri"]["uri"]:
                yield f"{title}: the module's url was not filled in"


def secrets(name, documents):
    """Only what is for a laptop may hold Secrets; folders of the user's own are the user's affair."""
    first, *rest = name.split("+")
    if first not in ("base", "external-database", "filters-only", "production") or "postgres" in rest:
        return
    for document in documents:
        if document["kind"] == "Secret":
            yield f"Secret {document['metadata']['name']}: a secret among the manifests"


def main():
    crds, *files = sys.argv[1:]
    schemas = istio_schemas(crds) if crds else None
    plugins = Path(__file__).parent / "base" / "wasm-plugins.yaml"
    base = list(yaml.safe_load_all(plugins.read_text(encoding="utf-8")))
    failed = False
    kinds = set()
    for file in files:
        name = Path(file).stem
        documents = [d for d in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")) if d]
        counts = Counter()
        found = [*rules_of_our_own(documents, base), *secrets(name, documents)]
        for document in documents:
            mistakes = faults(document, schemas)
            if mistakes is None:
                continue
            counts[family(document)] += 1
            if family(document) == "others":
                kinds.add(document["kind"])
            found += [f"{document['kind']} {document['metadata']['name']}: {mistake}" for mistake in mistakes]
        for fault in found:
            print(f"{name}: {fault}", file=sys.stderr)
        failed = failed or bool(found)
        checked = ", ".join(f"{counts[key]} {key}" for key in ("kubernetes", "istio", "others") if counts[key])
        print(f"{name}: {'FAULTY' if found else 'ok'} ({checked})")
    if kinds:
        print(f"others, checked by schemas of our own with only the fields in use: {', '.join(sorted(kinds))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
