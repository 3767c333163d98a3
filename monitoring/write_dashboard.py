"""Writes `dashboard.json` for Grafana: rows of panels, each a title, what it shows, and a unit.

Every expression is one of the recording rules or a metric of docs/monitoring.md; a test asks a running city for them.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).parent
WIDTH: Final = 24  # of a dashboard, in its own units


class Panel(NamedTuple):
    """One panel; `shows` are expressions with their legends."""

    title: str
    shows: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    red_from: float | None = None  # a number that is red from here on
    red_below: float | None = None


RATIO, SECONDS, BYTES = "percentunit", "s", "bytes"
DUE: Final = 'dispatch:closure_terms:max{basis="due", period="$period", term='
ROWS: Final[dict[str, list[Panel]]] = {
    "Is the city all right? 全城是否正常": [
        Panel("Not ready 未就绪", (("count(dispatch_ready == 0) or vector(0)", ""),), kind="stat", width=4, red_from=1),
        Panel(
            "Alerts 告警",
            (('count(ALERTS{alertname=~"Dispatch.*", alertstate="firing"}) or vector(0)', ""),),
            kind="stat",
            width=4,
            red_from=1,
        ),
        Panel(
            "Overdue 超时",
            (('sum(dispatch:incidents_open:max{light="red"}) or vector(0)', ""),),
            kind="stat",
            width=4,
            red_from=1,
        ),
        Panel(
            "Nobody moves on 无人推动", (("sum(dispatch_unwatched_incidents)", ""),), kind="stat", width=4, red_from=1
        ),
        Panel(
            "Engine errors, 1 d 引擎错误",
            (("sum(increase(dispatch_engine_errors_total[1d]))", ""),),
            kind="stat",
            width=4,
            red_from=1,
        ),
        Panel("Timers late 计时器晚", (("max(dispatch_timers_late_seconds)", ""),), SECONDS, "stat", 4, red_from=60),
        Panel(
            "Open, by light 在办（红黄绿）", (("sum by (light) (dispatch:incidents_open:max)", "{{light}}"),), width=12
        ),
        Panel(
            "Open, by state 在办（状态）", (("sum by (state) (dispatch:incidents_open:max)", "{{state}}"),), width=12
        ),
    ],
    "Throughput 吞吐": [
        Panel(
            "Records 记录/秒", (("sum by (topic, outcome) (dispatch:records:rate5m)", "{{topic}} {{outcome}}"),), "ops"
        ),
        Panel(
            "From report to order 上报到派单",
            (
                ("max(dispatch:end_to_end_seconds:p50_5m)", "p50"),
                ("max(dispatch:end_to_end_seconds:p99_5m)", "p99"),
            ),
            SECONDS,
        ),
        Panel("Records that wait 排队", (("sum by (topic) (dispatch_lag_records)", "{{topic}}"),)),
        Panel(
            "Process and commit, p99 处理与提交",
            (
                ("max(dispatch:process_seconds:p99_5m)", "process"),
                ("max(dispatch:commit_seconds:p99_5m)", "commit"),
            ),
            SECONDS,
        ),
        Panel(
            "Stage 1 on Kafka 第一阶段",
            (("histogram_quantile(0.99, sum by (le) (rate(dispatch_carry_seconds_bucket[5m])))", "p99"),),
            SECONDS,
        ),
        Panel("Incidents in memory 内存中案件", (("sum by (instance) (dispatch_incidents_held)", "{{instance}}"),)),
    ],
    "Departments and closure, with both terms 部门与办结（分子/分母）": [
        Panel(
            "Closure rate 办结率", (('dispatch:closure_rate:ratio{period="$period"}', "{{basis}}"),), RATIO, "stat", 8
        ),
        Panel("On time 按时办结率", (('dispatch:on_time_closure:ratio{period="$period"}', ""),), RATIO, "stat", 4),
        Panel("To be closed 应结案", ((f'sum({DUE}"need_close"}})', ""),), kind="stat", width=4),
        Panel("Closed 已结案", ((f'sum({DUE}"need_close_closed"}})', ""),), kind="stat", width=4),
        Panel("Closed in time 按时结案", ((f'sum({DUE}"closed_in_time"}})', ""),), kind="stat", width=4),
        Panel(
            "By department 部门",
            (
                (f'sum by (department) ({DUE}"need_close"}})', "to be closed 应结案"),
                (f'sum by (department) ({DUE}"need_close_closed"}})', "closed 已结案"),
                (f'sum by (department) ({DUE}"closed_in_time"}})', "in time 按时"),
                (
                    'sum by (department) (dispatch:department_closure_rate:ratio{period="$period"})',
                    "closure rate 办结率",
                ),
                ('sum by (department) (dispatch:department_on_time_closure:ratio{period="$period"})', "on time 按时率"),
            ),
            kind="table",
            width=12,
        ),
        Panel(
            "By area 街道",
            (
                (f'sum by (area) ({DUE}"need_close"}})', "to be closed 应结案"),
                (f'sum by (area) ({DUE}"need_close_closed"}})', "closed 已结案"),
                ('sum by (area) (dispatch:area_closure_rate:ratio{period="$period"})', "closure rate 办结率"),
            ),
            kind="table",
            width=12,
        ),
        Panel(
            "Promises kept 各时限按时率", (('dispatch:targets_in_time:ratio{period="$period"}', "{{target}}"),), RATIO
        ),
        Panel("Late, times what is allowed 超时倍数", (('dispatch:late:burn{period="today"}', "today"),)),
        Panel(
            "Warnings, breaches, steps 预警/超时/升级",
            (("sum by (what) (rate(dispatch_target_timers_total[5m]))", "{{what}}"),),
            "ops",
        ),
    ],
    "Policy and health 政策与健康": [
        Panel(
            "Policy in force 现行政策",
            (("max by (version, sha256) (dispatch_policy_info)", "{{version}} {{sha256}}"),),
            kind="table",
            width=8,
        ),
        Panel(
            "Last activation 最近一次生效",
            (("min(dispatch_policy_last_activation_successful)", ""),),
            kind="stat",
            width=4,
            red_below=1,
        ),
        Panel(
            "Holidays known, days 节假日已知天数",
            (("min by (calendar) (dispatch_calendar_coverage_days)", "{{calendar}}"),),
            "d",
            "stat",
            6,
            red_below=60,
        ),
        Panel("Modes 平急", (("max by (mode) (dispatch_mode_active)", "{{mode}}"),), kind="stat", width=6),
        Panel(
            "Rules most used 命中最多的规则",
            (("topk(20, sum by (rule) (increase(dispatch_rule_hits_total[1d])))", "{{rule}}"),),
            kind="table",
        ),
        Panel(
            "Taken by no rule 兜底",
            (
                ("max(dispatch:fallback:ratio1h)", "fallback 兜底"),
                ("max(dispatch:rejected_reports:ratio1h)", "rejected 拒收"),
            ),
            RATIO,
        ),
        Panel(
            "Rejected, by reason 拒收原因",
            (("sum by (reason) (increase(dispatch_rejected_total[1h])) > 0", "{{reason}}"),),
        ),
        Panel("Requests 请求/秒", (("sum by (status) (dispatch:http_requests:rate5m)", "{{status}}"),), "ops"),
        Panel("Answers, p99 应答", (("dispatch:http_request_seconds:p99_5m", "{{instance}}"),), SECONDS),
        Panel(
            "Streams, keys refused 流、拒绝的密钥",
            (
                ("sum(dispatch_http_streams_open)", "streams"),
                ("sum by (why) (increase(dispatch_keys_refused_total[10m]))", "{{why}}"),
            ),
        ),
        Panel(
            "Notices 通知",
            (("sum by (channel, outcome) (increase(dispatch_notices_total[1h]))", "{{channel}} {{outcome}}"),),
        ),
        Panel("Files 文件", (("dispatch_file_bytes", "{{file}}"),), BYTES),
        Panel("Disk free 磁盘余量", (("min(dispatch:disk_free:ratio)", "free"),), RATIO),
        Panel("Memory 内存", (('process_resident_memory_bytes{job=~"dispatch.*"}', "{{instance}}"),), BYTES),
        Panel(
            "Processor 处理器",
            (('rate(process_cpu_seconds_total{job=~"dispatch.*"}[5m])', "{{instance}}"),),
            "percentunit",
        ),
    ],
}


def dashboard() -> dict[str, Any]:
    """The whole of it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "collapsed": False, "gridPos": _at(0, y, WIDTH, 1), "panels": []})
        x, y = 0, y + 1
        height = 0
        for panel in row:
            if x + panel.width > WIDTH:
                x, y, height = 0, y + height, 0
            tall = 4 if panel.kind == "stat" else 8
            panels.append(_panel(panel, _at(x, y, panel.width, tall)))
            x, height = x + panel.width, max(height, tall)
        y += height
    for number, made in enumerate(panels, 1):
        made["id"] = number
    return {
        "uid": "city-dispatch",
        "title": "City dispatch",
        "tags": ["dispatch"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _period()]},
        "panels": panels,
    }


def _panel(panel: Panel, at: dict[str, int]) -> dict[str, Any]:
    table = panel.kind == "table"
    targets = [
        {"refId": chr(ord("A") + n), "expr": shows, "legendFormat": legend, "datasource": _DATASOURCE,
         **({"instant": True, "format": "table"} if table else {})}
        for n, (shows, legend) in enumerate(panel.shows)
    ]  # fmt: skip
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.red_from is not None:
        defaults["thresholds"] = _steps("green", (panel.red_from, "red"))
    elif panel.red_below is not None:
        defaults["thresholds"] = _steps("red", (panel.red_below, "green"))
    made = {
        "type": panel.kind, "title": panel.title, "datasource": _DATASOURCE, "gridPos": at, "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }  # fmt: skip
    if table and len(panel.shows) > 1:  # one line for each department, its figures side by side
        names = {f"Value #{target['refId']}": legend for target, (_, legend) in zip(targets, panel.shows, strict=True)}
        made["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}},
        ]
    return made


_DATASOURCE: Final = {"type": "prometheus", "uid": "${source}"}


def _steps(below: str, above: tuple[float, str]) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"color": below, "value": None}, {"color": above[1], "value": above[0]}]}


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _period() -> dict[str, Any]:
    options = [
        {"text": name, "value": name, "selected": name == "today"} for name in ("today", "this_month", "last_month")
    ]
    return {
        "name": "period", "label": "period 时段", "type": "custom", "query": ",".join(each["text"] for each in options),
        "options": options, "current": options[0],
    }  # fmt: skip


def _at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def text() -> str:
    """As the file has it."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "dashboard.json").write_text(text(), encoding="utf-8")
    sys.stdout.write("dashboard.json\n")
