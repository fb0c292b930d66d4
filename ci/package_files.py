"""What is checked in files of packages/ without a server: the systemd unit, what Kubernetes is given, and the container's image.

Needs python3-yaml, which ci/packages installs.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml

import package_tools
import servers

PACKAGES = servers.ROOT / "packages"
UNIT = PACKAGES / "systemd/llm-proxy.service"
DROP_IN = PACKAGES / "systemd/postgres.conf"
DOCUMENT = servers.ROOT / "docs/packages.md"
CHART = PACKAGES / "helm/llm-proxy"
MANIFESTS = {"sqlite": PACKAGES / "kubernetes/sqlite.yaml", "postgres": PACKAGES / "kubernetes/postgres.yaml"}
# The oldest that Chart.yaml allows, and a new one.
KUBERNETES = ("1.25", "1.34")
# systemd's own measure, in tenths: 100 is no protection at all. Services that read and write the network get to about 15.
EXPOSURE = "20"


def read(path):
    return (servers.ROOT / path).read_text()


def settings():
    """The names that the program reads: those of docs/settings.md, and a file for each secret."""
    text = read("docs/settings.md")
    names = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.M))
    secrets = set(re.findall(r"`([A-Z_]+)`", re.search(r"^A secret \((.*?)\)", text, re.M | re.S)[1]))
    assert len(names) > 50 and {"MANAGEMENT_TOKEN", "DATABASE_URL", "ENCRYPTION_KEY"} <= secrets <= names, secrets
    return names | {f"{name}_FILE" for name in secrets}, secrets


def are_settings(environment):
    known, secrets = settings()
    assert not set(environment) - known, f"no settings: {set(environment) - known}"
    assert not set(environment) & secrets, f"secrets that are not in files: {set(environment) & secrets}"


def routes():
    found = set(re.findall(r"^  (/[^:]+):$", read("api/openapi.yaml"), re.M))
    assert {"/live", "/ready"} <= found, found
    return found


def seconds(text):
    return float(re.fullmatch(r"([0-9.]+)s", text)[1])


# systemd

def unit_values(text, name):
    return re.findall(rf"^{name}=(.*)$", text, re.M)


def unit_environment(text):
    return dict(each.split("=", 1) for each in unit_values(text, "Environment"))


def systemd_checks(folder, program):
    unit, drop_in = UNIT.read_text(), DROP_IN.read_text()

    def analyze(*arguments):
        path = pathlib.Path(folder, "llm-proxy.service")
        path.write_text(unit.replace("ExecStart=/usr/local/bin/llm-proxy ", f"ExecStart={program} "))
        beside = pathlib.Path(folder, "llm-proxy.service.d")
        beside.mkdir(exist_ok=True)
        shutil.copy(DROP_IN, beside)
        for name, text in re.findall(r"llm-proxy.service.d/(\S+) <<'END'\n(.*?)^END$", DOCUMENT.read_text(), re.M | re.S):
            (beside / name).write_text(text)
        ran = subprocess.run(["systemd-analyze", *arguments, path], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout[-600:] + ran.stderr
        return ran

    def is_verified_with_its_drop_ins():
        assert "\nExecStart=/usr/local/bin/llm-proxy server\n" in unit, "another command"
        told = analyze("verify").stderr
        assert not told, told

    def is_hardened():
        analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}")

    def sets_settings_and_reads_secrets_from_credentials():
        environment = {**unit_environment(unit), **unit_environment(drop_in)}
        are_settings(environment)
        given = {each.split(":")[0] for each in unit_values(unit + drop_in, "LoadCredential")}
        read = {value.removeprefix("%d/") for value in environment.values() if value.startswith("%d/")}
        assert given == read and len(read) == 3, (given, read)

    def stops_with_time_for_what_is_open():
        grace = seconds(unit_environment(unit)["SHUTDOWN_GRACE"])
        (timeout,), signals = unit_values(unit, "TimeoutStopSec"), unit_values(unit, "KillSignal")
        assert seconds(timeout) >= grace + 10 and signals == ["SIGTERM"], (timeout, grace, signals)

    return [is_verified_with_its_drop_ins, is_hardened, sets_settings_and_reads_secrets_from_credentials,
            stops_with_time_for_what_is_open]


# Kubernetes

def documents(text):
    return [each for each in yaml.safe_load_all(text) if each]


def workload(found):
    """The one document that makes pods, and its pods' only container."""
    (one,) = [each for each in found if each["kind"] in ("Deployment", "StatefulSet")]
    pod = one["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return one, pod, container


def environment_of(container):
    return {each["name"]: each["value"] for each in container["env"]}


def is_valid(text):
    """Every field is one that Kubernetes has, with the type it has there."""
    core = [each for each in documents(text) if each["kind"] != "ServiceMonitor"]
    for version in KUBERNETES:
        ran = subprocess.run(
            [package_tools.python().parent / "kubernetes-validate", "--strict", "--quiet", "-k", version, "/dev/stdin"],
            input=yaml.safe_dump_all(core), capture_output=True, text=True)
        assert ran.returncode == 0, f"Kubernetes {version}: {ran.stdout}{ran.stderr}"


def keeps_the_rules(found):
    """What holds of everything that Kubernetes is given, by hand or by Helm."""
    one, pod, container = workload(found)
    environment = environment_of(container)
    are_settings(environment)
    postgres = environment["DB_DRIVER"] == "postgres"
    assert one["spec"]["replicas"] <= 1 or postgres, "several servers on one SQLite file"
    assert postgres == ("DATABASE_URL_FILE" in environment), environment

    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert set(paths.values()) <= routes(), paths
    assert (paths["livenessProbe"], paths["readinessProbe"]) == ("/live", "/ready"), paths
    scheme = "HTTPS" if "TLS_CERT_FILE" in environment else "HTTP"
    assert all(container[name]["httpGet"].get("scheme", "HTTP") == scheme for name in paths), scheme

    rest = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    needed = rest + seconds(environment["SHUTDOWN_GRACE"])
    assert pod["terminationGracePeriodSeconds"] >= needed + 10, (pod["terminationGracePeriodSeconds"], needed)

    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] == image_user(), pod["securityContext"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"} and not pod["automountServiceAccountToken"], pod
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}, container

    claims = one["spec"].get("volumeClaimTemplates", [])
    volumes = {each["name"] for each in pod["volumes"]} | {each["metadata"]["name"] for each in claims}
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert set(mounted) == volumes, f"volumes {volumes}, mounts {set(mounted)}"
    for name, value in environment.items():
        if name.endswith(("_FILE", "_PATH")) and name != "METRICS_PATH":
            assert any(value.startswith(f"{path}/") for path in mounted.values()), f"{name}={value} is on no volume"
    if claims or not postgres:
        assert mounted["data"] in image_volumes(), "not where the image has its data"

    labels, selector = one["spec"]["template"]["metadata"]["labels"], one["spec"]["selector"]["matchLabels"]
    ports = {each["name"] for each in container["ports"]}
    for each in found:
        asked = each["spec"]["selector"] if each["kind"] == "Service" else each.get("spec", {}).get("selector", {}).get("matchLabels", {})
        assert asked.items() <= labels.items() or each["kind"] == "ServiceMonitor", (each["kind"], asked, labels)
        if each["kind"] == "Service":
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= ports, each
    assert selector, "selects everything"
    assert environment["LISTEN_ADDR"] == f":{container['ports'][0]['containerPort']}", environment["LISTEN_ADDR"]


def without_release(document):
    """A document without the labels that only a release of a chart has."""
    kept = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    labels = document["metadata"]["labels"]
    return {**document, "metadata": {**document["metadata"], "labels": {name: labels[name] for name in labels if name in kept}}}


def kubernetes_checks():
    def check(name, path):
        def manifests():
            is_valid(path.read_text())
            keeps_the_rules(documents(path.read_text()))

        manifests.__name__ = f"{name}_manifests_keep_the_rules"
        return manifests

    return [check(*each) for each in MANIFESTS.items()]


# The document

def document_checks(folder):
    text = DOCUMENT.read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)

    def names_files_that_are_there():
        named = set(re.findall(r"\bpackages/[\w./-]+", text))
        missing = [name for name in named if not (servers.ROOT / name.rstrip(".")).exists()]
        assert len(named) > 8 and not missing, missing

    def has_commands_that_bash_can_read():
        for block in blocks:
            ran = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
            assert ran.returncode == 0 and not ran.stderr, block + ran.stderr

    def has_commands_for_helm_that_make_something():
        pathlib.Path(folder, "api_providers.yaml").write_text("default_api: openai\n")
        commands = [line for block in blocks for line in block.splitlines() if line.startswith("helm ")]
        for command in commands:
            words = command.split("#")[0].replace(str(CHART.relative_to(servers.ROOT)), str(CHART)).split()
            assert words[1] in ("install", "upgrade"), command
            words = [str(package_tools.helm()), "template", *(word for word in words[2:] if word != "--reuse-values")]
            ran = subprocess.run(words, cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, capture_output=True, text=True)
            assert ran.returncode == 0, command + ran.stderr
        assert len(commands) > 3, commands

    def builds_the_image_that_the_manifests_name():
        built = set(re.findall(r"docker build -t (\S+)", text))
        named = {workload(documents(path.read_text()))[2]["image"] for path in MANIFESTS.values()}
        assert built == named, (built, named)

    return [names_files_that_are_there, has_commands_that_bash_can_read, has_commands_for_helm_that_make_something,
            builds_the_image_that_the_manifests_name]


# The image

def instructions():
    """(name, text) of the last stage of the Dockerfile."""
    text = re.sub(r"\\\n", "", re.sub(r"^\s*#.*\n", "", read("Dockerfile"), flags=re.M))
    found = [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]
    return found[max(at for at, each in enumerate(found) if each[0] == "FROM"):]


def image_user():
    user = [text for name, text in instructions() if name == "USER"][-1].split(":")[0]
    assert user.isdigit() and int(user) > 0, f"USER {user}"
    return int(user)


def image_volumes():
    return [path for name, text in instructions() if name == "VOLUME" for path in json.loads(text)]


def image_health_check():
    (text,) = [text for name, text in instructions() if name == "HEALTHCHECK"]
    return json.loads(text.split("CMD", 1)[1])
