"""The sandbox's schema is the org's: it is held against the SFDX project that an administrator deploys."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sandbox.salesforce import schema_files
from sandbox.salesforce.schema import SObject
from tests.sandbox.salesforce.sfdx import NAMESPACE, differences

SCHEMA = schema_files.load()
PROJECTS = [path for path in [Path(__file__).parents[3] / "salesforce"] if (path / "sfdx-project.json").is_file()]
CYCLE, SERVICE = "OrderItem/fields/Billing_Cycle__c", "OrderItem/fields/WHMCS_Service_ID__c"
OPTIONS, EVENT = "OrderItem/fields/ConfigOptions_JSON__c", "OrderProvisionRequested__e/fields"
VERSION = f"{EVENT}/Version__c"


def said(**elements: str | int) -> str:
    """Elements in the order in which metadata files have them."""
    return "".join(f"<{name}>{value}</{name}>" for name, value in sorted(elements.items()))


def short_text(label: str, **more: str | int) -> str:
    return said(**{"label": label, "length": 80, "type": "Text", **more})


CYCLES = "".join(f"<value><fullName>{each}</fullName></value>" for each in ("Monthly", "Annually", "One-time"))
CHOICES = f"<restricted>true</restricted><valueSetDefinition><sorted>false</sorted>{CYCLES}</valueSetDefinition>"
FIELDS = {
    CYCLE: said(label="Billing Cycle", type="Picklist", valueSet=CHOICES),
    OPTIONS: said(label="Config Options JSON", type="LongTextArea", length=32768, visibleLines=5),
    SERVICE: short_text("WHMCS Service ID", length=40, externalId="true", unique="false"),
    f"{EVENT}/OrderId__c": short_text("OrderId", length=18, required="true"),
    f"{EVENT}/IdemKey__c": short_text("IdemKey"),
    f"{EVENT}/CorrelationId__c": short_text("CorrelationId"),
    f"{EVENT}/RequestedBy__c": short_text("RequestedBy"),
    VERSION: said(label="Version", precision=9, scale=0, type="Number"),
}
STATUSES = {
    "Draft": "Draft",
    "Pending Review": "Draft",
    "Approved": "Draft",
    "Cancelled": "Draft",
    "Activated": "Activated",
}


def write(path: Path, root: str, inner: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>', "utf-8")


def write_statuses(project: Path, statuses: dict[str, str]) -> None:
    rows = "".join(
        f"<standardValue><fullName>{name}</fullName><groupingString>{group}</groupingString></standardValue>"
        for name, group in statuses.items()
    )
    write(project / "new-org-only/standardValueSets/OrderStatus.standardValueSet-meta.xml", "StandardValueSet", rows)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with what the org has of two types, and the order's statuses."""
    for name, inner in FIELDS.items():
        full_name = f"<fullName>{name.rpartition('/')[2]}</fullName>"
        write(objects(tmp_path) / f"{name}.field-meta.xml", "CustomField", full_name + inner)
    write_statuses(tmp_path, STATUSES)
    return tmp_path


def objects(project: Path) -> Path:
    return project / "force-app/main/default/objects"


def few_types(*more: str) -> list[SObject]:
    return [SCHEMA[name] for name in ("OrderItem", "OrderProvisionRequested__e", *more)]


def test_a_project_that_says_the_same_has_no_differences(project: Path) -> None:
    assert differences(few_types(), project) == []


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        path = objects(project) / f"{name}.field-meta.xml"
        content = path.read_text("utf-8")
        assert old in content
        path.write_text(content.replace(old, new), "utf-8")

    return change


def without_a_field(project: Path) -> None:
    (objects(project) / "OrderItem/fields/ConfigOptions_JSON__c.field-meta.xml").unlink()


def with_another_field(project: Path) -> None:
    write(objects(project) / "OrderItem/fields/New__c.field-meta.xml", "CustomField", "<type>Checkbox</type>")


def with_another_object(project: Path) -> None:
    (objects(project) / "Thing__c").mkdir()


CHANGES: list[tuple[Callable[[Path], None], str]] = [
    (without_a_field, "OrderItem.ConfigOptions_JSON__c: not in the project"),
    (with_another_field, "OrderItem.New__c: not in the sandbox"),
    (with_another_object, "Thing__c: not in the sandbox"),
    (replaced(SERVICE, ">40<", ">18<"), "OrderItem.WHMCS_Service_ID__c: length is 18 in the project, 40 in"),
    (replaced(SERVICE, "<externalId>true", "<externalId>false"), "OrderItem.WHMCS_Service_ID__c: external_id is False"),
    (replaced(SERVICE, "<unique>false", "<unique>true"), "OrderItem.WHMCS_Service_ID__c: unique is True"),
    (replaced(CYCLE, "<restricted>true", "<restricted>false"), "OrderItem.Billing_Cycle__c: restricted is False"),
    (replaced(CYCLE, "One-time", "Once"), "OrderItem.Billing_Cycle__c: values is ('Monthly', 'Annually', 'Once')"),
    (replaced(VERSION, "<precision>9", "<precision>18"), "OrderProvisionRequested__e.Version__c: precision is 18"),
    (replaced(VERSION, "<label>Version", "<label>Number"), "OrderProvisionRequested__e.Version__c: label is 'Number'"),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_each_difference_is_one_sentence(project: Path, change: Callable[[Path], None], sentence: str) -> None:
    change(project)
    (difference,) = differences(few_types(), project)
    assert difference.startswith(sentence)


def test_another_type_is_another_type(project: Path) -> None:
    replaced(SERVICE, "<type>Text</type>", "<type>Date</type>")(project)
    assert differences(few_types(), project) == [
        "OrderItem.WHMCS_Service_ID__c: type is 'date' in the project, 'string' in the sandbox"
    ]


def test_statuses_and_their_groups_are_compared(project: Path) -> None:
    order = [*SCHEMA["Order"].fields.values()]
    custom = {f"Order.{each.name}: not in the project" for each in order if each.custom}
    assert set(differences(few_types("Order"), project)) == custom
    write_statuses(project, {**STATUSES, "Approved": "Activated"})
    assert set(differences(few_types("Order"), project)) - custom == {
        "OrderStatus: Approved is Activated in the project, Draft in the sandbox"
    }
    write_statuses(project, {name: group for name, group in STATUSES.items() if name != "Approved"})
    (missing,) = set(differences(few_types("Order"), project)) - custom
    assert missing.startswith("OrderStatus: the project has ['Draft', 'Pending Review', 'Cancelled', 'Activated']")


def with_custom_fields(types: Iterable[SObject]) -> list[SObject]:
    return [each for each in types if any(field.custom for field in each.fields.values())]


@pytest.mark.parametrize("of", ["the sample", *(str(path) for path in PROJECTS)])
def test_the_schema_is_the_projects(of: str, project: Path) -> None:
    types = few_types() if of == "the sample" else with_custom_fields(SCHEMA)
    assert differences(types, project if of == "the sample" else Path(of)) == []
