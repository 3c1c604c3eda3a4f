#!/usr/bin/env python3
"""Checks that a Kubernetes manifest of a pod and its service is well-formed and fits the image.

    manifest.py docker/kubernetes.yml UID VERSION

UID is the image's user, VERSION the image's version. Without a cluster, the script does not check that Kubernetes
accepts every field. Needs PyYAML.
"""

import sys

import yaml

HEALTH = "/_mock/health"


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: expected {expected!r}, got {found!r}")


def main():
    path, uid, version = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        pod, service = yaml.safe_load_all(file)
    check("kinds", [pod["kind"], service["kind"]], ["Pod", "Service"])
    check("API versions", [pod["apiVersion"], service["apiVersion"]], ["v1", "v1"])

    spec, (container,) = pod["spec"], pod["spec"]["containers"]
    check("image's version", container["image"].rpartition(":")[2], version)
    check("user", spec["securityContext"]["runAsUser"], int(uid))
    (port,) = container["ports"]
    check("container's port", port["containerPort"], 8080)
    for name in ("readinessProbe", "livenessProbe"):
        check(name, container[name]["httpGet"], {"path": HEALTH, "port": port["name"]})
    # The root file system is read-only, so the temporary directory must be a volume.
    volumes = {volume["name"] for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    check("read-only root", container["securityContext"]["readOnlyRootFilesystem"], True)
    check("mounts", list(mounts), ["/tmp"])
    check("mounted volumes", set(mounts.values()), volumes)

    (exposed,) = service["spec"]["ports"]
    check("service's port", [exposed["port"], exposed["targetPort"]], [8080, port["name"]])
    check("service's selector", service["spec"]["selector"], pod["metadata"]["labels"])
    print(f"{path}: a pod and its service")


if __name__ == "__main__":
    main()
