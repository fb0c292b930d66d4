"""What is checked in what watches servers: the alert rules and the dashboard, against the metrics that servers expose, and by a Prometheus
that reads them.

Needs python3-yaml, which ci/packages installs.
"""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

import package_files
import promql
import servers

ALERTS = package_files.PACKAGES / "prometheus/alerts.yaml"
ALERT_TESTS = package_files.PACKAGES / "prometheus/alerts.test.yaml"
DASHBOARD = package_files.PACKAGES / "grafana/llm-proxy.json"
# What Prometheus adds to every series.
TARGET_LABELS = {"job", "instance"}
VARIABLES = {"$__rate_interval": "30s", "$job": ".*", "$instance": ".*"}


def families(texts):
    """Of what servers expose: kind and labels of each metric, and the values of each label."""
    kinds, labels = {}, {}
    for text in texts:
        kinds |= dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        assert set(re.findall(r"^# HELP (\S+) ", text, re.M)) == set(re.findall(r"^# TYPE (\S+) ", text, re.M)), "HELP and TYPE differ"
        for name, inside in re.findall(r"^([a-z_]+)(?:{(.*)})? \S+$", text, re.M):
            for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', inside):
                labels.setdefault(name, {}).setdefault(label, set()).add(value)
            labels.setdefault(name, {})
    return kinds, labels


def expressions():
    """(where, expression) of everything that Prometheus is asked."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']!r}", target["expr"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def metric_checks(kinds, labels):
    codes = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", package_files.read("docs/errors.md"), re.M))

    def exists(where, selector):
        name = selector.metric
        family = next((each for each in (name, re.sub(r"_(bucket|sum|count)$", "", name)) if each in kinds), None)
        assert family and (family == name) != (kinds[family] == "histogram"), f"{where}: no metric {name}"
        if selector.function in ("rate", "increase"):
            assert kinds[family] in ("counter", "histogram"), f"{where}: {name} is a {kinds[family]}"
        known = {**labels.get(name, {}), **dict.fromkeys(TARGET_LABELS, {""})}
        for label, operator, value in selector.matchers:
            assert label in known, f"{where}: {name} has no label {label}"
            # What is left out need not be there.
            if label in ("code", "status_class") and not operator.startswith("!"):
                values = codes if label == "code" else known[label]
                found = [each for each in values if (re.fullmatch(value, each) if "~" in operator else value == each)]
                assert found, f"{where}: {name} has no {label} {value}"
        return set(known)

    def are_all_exposed_with_their_labels():
        seen = 0
        for where, expression in expressions():
            selectors, grouped = promql.names(expression)
            known = set().union(*(exists(where, each) for each in selectors if each.metric != "up"))
            assert grouped <= known | TARGET_LABELS, f"{where}: grouped by {grouped - known}"
            seen += len(selectors)
        assert seen > 100, seen

    def fill_the_dashboards_variables():
        variables = {each["name"]: each for each in json.loads(DASHBOARD.read_text())["templating"]["list"]}
        assert set(variables) == {"datasource", "job", "instance"} and variables["datasource"]["type"] == "datasource", set(variables)
        for name in ("job", "instance"):
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variables[name]["definition"]).groups()
            exists(name, *promql.names(metric)[0])
            assert label == name and variables[name]["query"]["query"] == variables[name]["definition"], variables[name]

    return [are_all_exposed_with_their_labels, fill_the_dashboards_variables]


def alert_checks(promtool):
    def tool(*arguments):
        ran = subprocess.run([promtool, *arguments], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def are_rules_of_prometheus():
        tool("check", "rules", ALERTS)

    def fire_when_they_should_and_not_otherwise():
        tool("test", "rules", ALERT_TESTS)
        fired = set(re.findall(r'alertname="(\w+)"', ALERT_TESTS.read_text()))
        assert fired == {rule["alert"] for rule in rules()}, f"no test has them fire: {fired ^ {rule['alert'] for rule in rules()}}"

    def tell_what_to_do():
        for rule in rules():
            assert rule["labels"]["severity"] in ("critical", "warning") and set(rule["annotations"]) == {"summary", "runbook"}, rule
            grouped = promql.names(rule["expr"])[1]
            told = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
            assert told <= (grouped or TARGET_LABELS), f"{rule['alert']} has no label {told}"

    return [are_rules_of_prometheus, fire_when_they_should_and_not_otherwise, tell_what_to_do]


def dashboard_checks():
    def has_panels_that_lie_side_by_side():
        dashboard = json.loads(DASHBOARD.read_text())
        taken, identifiers = set(), [panel["id"] for panel in dashboard["panels"]]
        assert dashboard["schemaVersion"] >= 39 and len(set(identifiers)) == len(identifiers) > 30, identifiers
        for panel in dashboard["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert at["x"] + at["w"] <= 24 and not cells & taken, f"{panel['title']} lies on another"
            taken |= cells

    def asks_its_own_data_source_for_the_servers_chosen():
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            for target in panel.get("targets", []):
                assert panel["datasource"] == target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
                asked, grouped = promql.names(target["expr"])
                for selector in asked:
                    assert {("job", "=~", "$job"), ("instance", "=~", "$instance")} <= set(selector.matchers), (panel["title"], selector)
                assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= grouped, (panel["title"], target["legendFormat"])

    return [has_panels_that_lie_side_by_side, asks_its_own_data_source_for_the_servers_chosen]


class Prometheus(servers.Child):
    """A Prometheus that reads servers every second, with the alert rules."""

    def __init__(self, program, folder, read):
        port = servers.free_port()
        self.url = f"http://127.0.0.1:{port}/api/v1"
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(ALERTS)],
            "scrape_configs": [{"job_name": "llm-proxy", "static_configs": [{"targets": [f"127.0.0.1:{each.port}" for each in read]}]}]}
        (folder / "prometheus.yaml").write_text(json.dumps(configuration))
        super().__init__(folder, "prometheus", port, [
            str(program), f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/series",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"])

    def began(self):
        """It listens before it answers."""
        assert servers.wait_for(self.answers, 30), "Prometheus does not answer"

    def answers(self):
        try:
            return self.query("vector(1)")
        except AssertionError:
            return None

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        try:
            return self.get("query", query=expression)["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.read().decode()}: {expression}") from None


def prometheus_checks(prometheus, read):
    def reads_all_servers():
        series = "count(count_over_time(llm_proxy_build_info[1m]) >= 4)"
        assert servers.wait_for(lambda: [each["value"][1] for each in prometheus.query(series)] == [str(len(read))], 30), "no metrics"

    def shows_something_in_every_panel():
        empty = []
        for where, expression in expressions():
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            if where.startswith("panel") and not prometheus.query(expression):
                empty.append(f"{where}: {expression}")
        assert not empty, "; ".join(empty)

    def evaluates_every_rule_and_fires_none():
        def evaluated():
            found = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
            return found if all(rule["health"] != "unknown" for rule in found) else None

        found = servers.wait_for(evaluated, 15)
        assert len(found) == len(rules()) and all(rule["health"] == "ok" for rule in found), found
        firing = [each["labels"]["alertname"] for each in prometheus.get("alerts")["alerts"] if each["state"] == "firing"]
        assert not firing, firing

    return [reads_all_servers, shows_something_in_every_panel, evaluates_every_rule_and_fires_none]
