"""GetAutomationLog: what the daily automation did (Appendix A)."""

from sandbox.whmcs.actions.checks import day_or
from sandbox.whmcs.answers import Answer, Payload
from sandbox.whmcs.billing.records import DailyRun
from sandbox.whmcs.dates import NO_TIME
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text


def get_automation_log(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Figures by day and task from `startdate` to `enddate`, today unless sent; `namespace` names one task."""
    start = day_or(form, "startdate", whmcs.today())
    end = day_or(form, "enddate", whmcs.today())
    task, last = text(form.get("namespace")), NO_TIME
    statistics: dict[str, Payload] = {}
    for each in whmcs.daily_runs.walk():
        last = max(last, each.started)
        if start <= each.date <= end:
            statistics[each.date] = _figures(each, task, statistics.get(each.date, {}))
    return Answer(
        {
            "currentDatetime": whmcs.timestamp(),
            "lastDailyCronInvocationTime": last,
            "startdate": start,
            "enddate": end,
            "statistics": statistics,
        }
    )


def _figures(run: DailyRun, task: str, before: Payload) -> Payload:
    """The figures of a run on top of those of an earlier one of the same day."""
    counted = {name: figures for name, figures in run.counts.items() if task in ("", name)}
    both = {name: {**before.get(name, {})} for name in {**before, **counted}}
    for name, figures in counted.items():
        for figure, number in figures.items():
            both[name][figure] = str(int(both[name].get(figure, 0)) + number)
    return both
