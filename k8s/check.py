"""Validates manifests strictly: Kubernetes' kinds by their OpenAPI schemas, Istio's by their CRDs.

Run by `k8s/check`. Arguments: Istio's CRD file ("" to skip Istio's kinds), then the files to check.
"""

import sys
from collections import Counter

import jsonschema
import kubernetes_validate
import yaml

# What `kubernetes-validate` has schemas for and the oldest release that our fields need.
KUBERNETES = "1.30"


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


def faults(document, schemas):
    """What is wrong with a document; None if it was not checked."""
    api, kind = document.get("apiVersion"), document.get("kind")
    if ".istio.io/" in api:
        if schemas is None:
            return None
        if (api, kind) not in schemas:
            return [f"Istio has no {api} {kind}"]
        errors = jsonschema.Draft202012Validator(schemas[api, kind]).iter_errors(document)
        return [f"{error.json_path}: {error.message}" for error in errors]
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(str(part) for part in error.path)}: {error.message}"]
    return []


def main():
    crds, *files = sys.argv[1:]
    schemas = istio_schemas(crds) if crds else None
    counts = Counter()
    for file in files:
        with open(file, encoding="utf-8") as opened:
            for document in filter(None, yaml.safe_load_all(opened)):
                family = "istio" if ".istio.io/" in document["apiVersion"] else "kubernetes"
                found = faults(document, schemas)
                if found is None:
                    continue
                counts[family] += 1
                for fault in found:
                    counts["faults"] += 1
                    print(f"{file}: {document['kind']} {document['metadata']['name']}: {fault}", file=sys.stderr)
    for family in ("kubernetes", "istio"):
        if counts[family]:
            print(f"{family}: {counts[family]} objects checked")
    return 1 if counts["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
