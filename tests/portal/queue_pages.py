"""django-rq's pages, with a job that failed behind those that show one."""

import django_rq
from django.urls import resolve

from portal.workers import Worker
from tests.portal.pages import routes

ROOT = "admin/django_rq/dashboard/"
CASES = 1  # the place of the queue in settings.QUEUES


def fails() -> None:
    raise ValueError("a job that fails")


def pages_with_a_failed_job() -> list[str]:
    """Every address of the queues that can be opened; those of schedulers are left out, since nothing has one."""
    queue = django_rq.get_queue("cases")
    job = queue.enqueue(fails)
    Worker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True, logging_level="CRITICAL")
    job.refresh()
    (result,) = job.results()
    values = {"<int:queue_index>": str(CASES), "<str:job_id>": job.id, "<str:result_id>": result.id}
    paths = []
    for route in (route for route in routes() if route.startswith(ROOT) and "scheduler" not in route):
        for name, value in values.items():
            route = route.replace(name, value)
        if not set("<^(") & set(route):
            paths.append(f"/{route}")
    assert all(resolve(path) for path in paths)
    return paths
