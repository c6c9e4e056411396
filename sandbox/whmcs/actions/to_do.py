"""GetToDoItems, GetToDoItemStatuses and UpdateToDoItem: the staff's list, which only the control port adds to."""

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.dates import NO_DATE, is_date
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.system.records import ToDoItem

STATUSES = ("New", "Pending", "In Progress", "Completed", "Postponed")


def get_to_do_items(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Items of one status; `Incomplete` is every one that is not completed."""
    status = text(form.get("status"))
    found = [each for each in whmcs.to_do_items.all() if _has(each, status)]
    listing = page_of(form, found).envelope("items", "item", _row)
    del listing["numreturned"]
    return Answer(listing)


def _has(item: ToDoItem, status: str) -> bool:
    if status.lower() == "incomplete":
        return item.status != "Completed"
    return status.lower() in ("", item.status.lower())


def _row(item: ToDoItem) -> Payload:
    return {
        "id": item.id,
        "date": item.date,
        "title": item.title,
        "description": item.description,
        "admin": item.admin,
        "status": item.status,
        "duedate": item.due,
    }


def get_to_do_item_statuses(whmcs: Whmcs, _: PhpArray) -> Answer:
    """Every status with its items and how many of them are overdue."""
    items, today = whmcs.to_do_items.all(), whmcs.today()
    rows = []
    for status in STATUSES:
        those = [each for each in items if each.status == status]
        overdue = sum(NO_DATE < each.due < today for each in those if status != "Completed")
        rows.append({"type": status, "count": len(those), "overdue": overdue})
    return Answer({"totalresults": len(rows), "todoitemstatuses": {"status": rows}})


def update_to_do_item(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent. The reference lists no error texts for it."""
    item = whmcs.to_do_items.get(to_int(form.get("itemid")))
    if item is None:
        raise Refused("TODO Item ID Not Found")
    if not text(form.get("adminid")):
        raise Refused("Admin ID Not Found")
    item.admin = to_int(form["adminid"])
    status = text(form.get("status")).title()
    item.status = status if status in STATUSES else item.status
    item.title = text(form.get("title")) or item.title
    item.description = text(form.get("description")) or item.description
    for name in ("date", "duedate"):
        if is_date(text(form.get(name))):
            setattr(item, "due" if name == "duedate" else name, text(form[name]))
    whmcs.to_do_items.put(item)
    return Answer({"itemid": item.id}, key=str(item.id))
