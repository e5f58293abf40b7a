"""Every alert works, is tested both ways, and says what to do; every figure that is asked for is
told by somebody.
"""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from chassis import metrics
from deploy.databases import SERVICES
from deploy.grafana import dashboards
from deploy.permissions import department_policies
from tests.stack.watching import PROMETHEUS, amtool, promtool

RULES = PROMETHEUS / "rules" / "linli.yml"
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOKS = Path("docs/howto/alerts.md").read_text(encoding="utf-8")
GROUPS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
EVERY_RULE = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in EVERY_RULE if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH = re.compile(r"[A-Za-z]{3}")
_FIGURE = re.compile(r"\blinli_[a-z_]+")
_SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}


def shown():
    """Every query of the dashboards, with its variables filled in."""
    return [
        target["expr"].replace("$job", ".*")
        for dashboard in dashboards.dashboards().values()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def told():
    """The names of all figures that the code tells."""
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            yield from (family.name + suffix for suffix in _SUFFIXES[family.type])
    for folder in ("chassis", "services"):
        for path in Path(folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            yield from re.findall(r'\b(?:report|Census)\(\s*"(linli_\w+)"', source)


def expectations():
    """Name of an alert, and whether it is expected to fire, for each look of the unit tests."""
    for path in TESTS:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for look in test["promql_expr_test"]:
                text = look["expr"] + "".join(each["labels"] for each in look["exp_samples"])
                for name in re.findall(r'alertname="(\w+)"', text):
                    yield name, bool(look["exp_samples"])


def test_prometheus_and_alertmanager_take_their_configuration():
    checks = [
        promtool("check", "config", PROMETHEUS / "prometheus.yml"),
        amtool("check-config", PROMETHEUS / "alertmanager.yml"),
    ]

    assert [(done.stdout, done.stderr) for done in checks if done.returncode] == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_do_what_their_unit_tests_say(path):
    done = promtool("test", "rules", path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_asks_for_something_else_fails_its_unit_test(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    rules = RULES.read_text(encoding="utf-8")
    (tmp_path / "rules" / "linli.yml").write_text(rules.replace("> 80000", "> 90000"))
    test = tmp_path / "tests" / "bus.yml"
    test.write_text((PROMETHEUS / "tests" / "bus.yml").read_text(encoding="utf-8"))

    assert promtool("test", "rules", test).returncode == 1


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "keeps quiet"])
def test_every_alert_is_tested_when_it_fires_and_when_it_does_not(fires):
    assert sorted({name for name, expected in expectations() if expected is fires}) == NAMES


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    assert sorted(re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_it_means_where_to_look_what_to_do_and_whom_to_call(name):
    section = RUNBOOKS.partition(f"## {name}\n")[2].partition("\n## ")[0]

    for part in ("For people", "Look", "Do", "Escalate"):
        assert f"**{part}:**" in section, part


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_how_bad_it_is_and_what_in_chinese_and_then_in_english(alert):
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["labels"]["kind"] in {"cause", "symptom", "fault"}
    assert alert["annotations"]["runbook"] == f"docs/howto/alerts.md#{alert['alert'].lower()}"
    for part in ("summary", "description"):
        text = re.sub(r"\{\{.*?\}\}", "", alert["annotations"][part])
        english = text[text.rindex(_CHINESE.findall(text)[-1]) :]
        assert _ENGLISH.search(english), text


def test_rules_and_dashboards_ask_for_figures_that_are_told():
    asked = {
        name
        for query in [*(rule["expr"] for rule in EVERY_RULE), *shown()]
        for name in _FIGURE.findall(query)
    }

    assert asked
    assert asked - set(told()) == set()


def test_the_how_to_names_every_figure_and_no_other():
    page = Path("docs/howto/operate.md").read_text(encoding="utf-8")
    named = set(_FIGURE.findall(page))
    families = {re.sub("_(bucket|count|sum)$", "", name) for name in told()}

    assert named == families


def test_every_query_of_the_dashboards_can_be_read(tmp_path):
    rules = [{"record": f"q{n}", "expr": query} for n, query in enumerate(shown())]
    path = tmp_path / "shown.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))

    done = promtool("check", "rules", path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_are_as_they_were_written():
    shipped = {path.name: path.read_text("utf-8") for path in dashboards.FOLDER.glob("*.json")}

    assert shipped == {
        name: dashboards.written(content) for name, content in dashboards.dashboards().items()
    }, "python -m deploy.grafana.dashboards"


def test_every_service_is_asked_for_its_figures():
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    (services,) = (job for job in jobs["scrape_configs"] if job["job_name"] == "linli")

    assert services["dns_sd_configs"][0]["names"] == list(SERVICES)
    (down,) = (rule["expr"] for rule in ALERTS if rule["alert"] == "ServiceDown")
    assert all(f'absent(up{{job="{service}"}})' in down for service in SERVICES)


def test_a_department_s_queue_rings_at_four_fifths_of_its_limit():
    limit = department_policies("water")["water.events"]["definition"]["max-length"]
    (filling,) = (rule for rule in ALERTS if rule["alert"] == "DepartmentQueueFilling")

    assert filling["expr"].endswith(f"> {limit * 4 // 5}")


def test_what_is_composed_beside_is_pinned_mounted_and_seen_from_this_machine_alone():
    overlay = yaml.safe_load(Path("docker-compose.monitoring.yml").read_text(encoding="utf-8"))

    for service in overlay["services"].values():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        sources = [volume.partition(":")[0] for volume in service["volumes"]]
        assert all(
            Path(source).exists() if source.startswith("./") else source in overlay["volumes"]
            for source in sources
        )
