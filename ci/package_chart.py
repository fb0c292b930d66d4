"""What is checked in the Helm chart: that it makes what the plain manifests say, keeps the same rules with other values, and refuses what
can't work.

Needs python3-yaml, which ci/packages installs.
"""

import json
import os
import pathlib
import subprocess

import yaml

import package_files
import package_tools


def helm_checks(folder, program):
    helm = package_tools.helm()
    several = "--set=replicas=3,database.driver=postgres"

    def run(*arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        return subprocess.run([helm, *arguments], capture_output=True, text=True, env=environment, cwd=folder)

    def template(*arguments, name="llm-proxy"):
        ran = run("template", name, package_files.CHART, *arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def values(text):
        path = pathlib.Path(folder, "values.yaml")
        path.write_text(json.dumps(text))
        return f"--values={path}"

    def refuses(reason, *arguments):
        ran = run("template", "llm-proxy", package_files.CHART, *arguments)
        assert ran.returncode != 0 and reason in ran.stderr, (arguments, ran.stderr)

    def lints():
        ran = run("lint", "--strict", package_files.CHART)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
        assert yaml.safe_load((package_files.CHART / "Chart.yaml").read_text())["appVersion"] == version, f"the program is {version}"

    def makes_what_the_manifests_say():
        for name, path in package_files.MANIFESTS.items():
            wanted = package_files.documents(path.read_text())
            (providers,) = [each["data"]["api_providers.yaml"] for each in wanted if each["kind"] == "ConfigMap"]
            rendered = template(values({"providers": providers}), *([several] if name == "postgres" else []))
            made = {each["kind"]: package_files.without_release(each) for each in package_files.documents(rendered)}
            assert made == {each["kind"]: each for each in wanted}, f"helm template makes another {path.name}"

    def keeps_the_rules_with_other_values():
        everything = {
            "providers": "default_api: openai", "tls": {"secret": "certificate"}, "serviceMonitor": {"enabled": True, "labels": {"a": "b"}},
            "settings": {"HTTP_CACHE_MAX_BYTES": 67108864, "ENABLE_METRICS": True, "METRICS_PATH": "/figures"},
            "extraVolumes": [{"name": "roots", "secret": {"secretName": "roots"}}],
            "extraVolumeMounts": [{"name": "roots", "mountPath": "/run/secrets/roots"}], "storage": {"size": "1Gi", "class": "fast"},
            "imagePullSecrets": [{"name": "registry"}], "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}, "shutdownGraceSeconds": 120,
            "nodeSelector": {"e": "f"}, "tolerations": [{"key": "g", "operator": "Exists"}], "affinity": {"nodeAffinity": {}}}
        for more in ([], [several]):
            text = template(values(everything), *more, name="gateway")
            package_files.is_valid(text)
            found = package_files.documents(text)
            package_files.keeps_the_rules(found)
            set_to = package_files.environment_of(package_files.workload(found)[2])
            assert (set_to["HTTP_CACHE_MAX_BYTES"], set_to["ENABLE_METRICS"]) == ("67108864", "true"), set_to
            (monitor,) = [each for each in found if each["kind"] == "ServiceMonitor"]
            assert monitor["spec"]["endpoints"][0]["path"] == "/figures", monitor

    def gives_a_spool_a_volume():
        found = package_files.documents(template(several, "--set=settings.DATABASE_OUTAGE=spool"))
        package_files.keeps_the_rules(found)
        assert package_files.workload(found)[0]["kind"] == "StatefulSet", "the spool does not outlive its pod"

    def refuses_what_cant_work():
        refuses("a SQLite file has one server", "--set=replicas=2")
        refuses("is a secret", "--set=settings.DATABASE_URL=postgres://a:b@c/d")
        refuses("is set by the chart itself", "--set=settings.DATABASE_PATH=/elsewhere")
        refuses("not allowed", "--set=replica=2")
        refuses("driver", "--set=database.driver=mysql")
        refuses("secret", "--set=secret=")

    return [lints, makes_what_the_manifests_say, keeps_the_rules_with_other_values, gives_a_spool_a_volume, refuses_what_cant_work]
