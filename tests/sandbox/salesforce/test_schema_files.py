"""Schema files: an org of one's own, and what is said of a file that describes none."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.salesforce import org_schema, schema_files
from sandbox.salesforce.schema_files import SchemaError
from sandbox.store import Store
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api

SAMPLE: dict[str, Any] = {
    "objects": {
        "Sample__c": {
            "label": "Sample",
            "nameFormat": "S-{0000}",
            "fields": [
                {
                    "name": "Code__c",
                    "type": "string",
                    "length": 20,
                    "required": True,
                    "externalId": True,
                    "unique": True,
                },
                {"name": "Colours__c", "type": "multipicklist", "values": ["Red", "Green", "Blue"], "restricted": True},
                {"name": "Account__c", "type": "reference", "references": ["Account"], "children": "Samples__r"},
                {"name": "Weight__c", "type": "double", "precision": 5, "scale": 2, "default": 1.5},
            ],
        },
        "Note__c": {"label": "Note", "fields": []},
    },
    "fields": {"Account": [{"name": "Region__c", "type": "picklist", "values": ["East", "West"], "restricted": True}]},
    "events": {"Sample__e": {"label": "Sample", "fields": [{"name": "Message__c", "type": "string", "length": 80}]}},
    "managedEventSubscriptions": {"Managed_Sample": {"topicName": "/event/Sample__e", "state": "STOP"}},
}


def written(folder: Path, content: Any, name: str = "sample.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def api(tmp_path: Path, key_material: Path) -> Any:
    """An org with the sample's additions."""
    for each in key_material.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
        (tmp_path / each.name).chmod(0o600)
    world = World(Config(state=tmp_path, schemas=(written(tmp_path, SAMPLE),)))
    yield Api(world)
    world.close()


def test_a_custom_object_lives_like_any_other(api: Api, maria: str) -> None:
    first = api.create("Sample__c", Code__c="x-1", Account__c=maria, Colours__c="Blue;Red")
    row = api("GET", "sobjects/Sample__c/Code__c/X-1").json()
    assert (row["Name"], row["Colours__c"], row["Weight__c"]) == ("S-0001", "Red;Blue", 1.5)
    assert row["Id"] == first
    parent = api.one("SELECT Id, Account__r.Name FROM Sample__c WHERE Account__r.SF_Account_No__c = '104882'")
    assert parent["Account__r"]["Name"] == "Santos Maria"
    children = api.one(f"SELECT (SELECT Code__c FROM Samples__r) FROM Account WHERE Id = '{maria}'")["Samples__r"]
    assert [each["Code__c"] for each in children["records"]] == ["x-1"]
    assert api.error("POST", "sobjects/Sample__c", {"Code__c": "X-1"})["errorCode"] == "DUPLICATE_VALUE"
    assert api.error("POST", "sobjects/Sample__c", {})["message"] == "Required fields are missing: [Code__c]"
    assert (
        api.error("PATCH", f"sobjects/Sample__c/{first}", {"Colours__c": "Red;Pink"})["message"]
        == "Colours: bad value for restricted picklist field: Pink"
    )


COLOURS = [
    ("INCLUDES ('Red')", "ab"),
    ("includes ('red', 'Blue')", "abc"),
    ("INCLUDES ('Red;Blue')", "b"),
    ("INCLUDES ('Blue;Red', 'Green')", "b"),
    ("EXCLUDES ('Red')", "cd"),
    ("EXCLUDES ('Red;Blue')", "acd"),
    ("= 'Red;Blue'", "b"),
    ("!= 'Red'", "bcd"),
    ("= null", "d"),
]


def test_a_query_for_several_choices(api: Api) -> None:
    for code, chosen in {"a": "Red", "b": "Blue;Red", "c": "Blue", "d": None}.items():
        api.create("Sample__c", Code__c=code, Colours__c=chosen)
    for condition, expected in COLOURS:
        rows = api.query(f"SELECT Code__c FROM Sample__c WHERE Colours__c {condition} ORDER BY Code__c")
        assert "".join(row["Code__c"] for row in rows) == expected, condition
    for wrong in (
        "WHERE Colours__c > 'Red'",
        "WHERE Colours__c LIKE 'R%'",
        "ORDER BY Colours__c",
        "GROUP BY Colours__c",
    ):
        select = "COUNT(Id)" if "GROUP" in wrong else "Id"
        assert api("GET", f"query?q=SELECT+{select}+FROM+Sample__c+{quote(wrong)}").status == 400, wrong


def test_a_record_without_a_name_is_called_by_its_id(api: Api) -> None:
    note = api.create("Note__c")
    assert api("GET", f"sobjects/Note__c/{note}").json()["Name"] == note[:15]


def test_standard_objects_take_further_fields(api: Api, maria: str) -> None:
    api.update("Account", maria, Region__c="West")
    assert api.query("SELECT Id FROM Account WHERE Region__c = 'West'")[0]["Id"] == maria
    wrong = api.error("PATCH", f"sobjects/Account/{maria}", {"Region__c": "North"})
    assert wrong["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_an_event_and_its_managed_subscription_are_known(api: Api) -> None:
    described = api("GET", "sobjects/Sample__e/describe").json()
    assert [each["name"] for each in described["fields"] if each["custom"]] == ["Message__c"]
    assert (described["queryable"], described["createable"], described["updateable"]) == (False, True, False)
    (name, subscription), *rest = api.world.org.schema.managed_subscriptions.items()
    assert (name, subscription.topic_name, subscription.state, rest) == (
        "Managed_Sample",
        "/event/Sample__e",
        "STOP",
        [],
    )


def test_key_prefixes_stay_when_other_types_come_and_go(tmp_path: Path) -> None:
    def prefixes(*objects: str) -> dict[str, str]:
        content = {"objects": {name: {"label": name} for name in objects}}
        store = Store(tmp_path / "org.db")
        try:
            schema = org_schema.load(store, Clock(tmp_path / "clock.json"), [written(tmp_path, content)]).schema
        finally:
            store.close()
        return {name: schema[name].prefix for name in objects}

    assert prefixes("B__c") == {"B__c": "a00"}
    assert prefixes("A__c", "B__c") == {"A__c": "a01", "B__c": "a00"}
    assert prefixes("A__c", "C__c") == {"A__c": "a01", "C__c": "a02"}
    assert prefixes("C__c", "B__c") == {"C__c": "a02", "B__c": "a00"}


FIELD = {"name": "X__c", "type": "string"}
WRONG: list[tuple[Any, str]] = [
    ([], "Input should be an object"),
    ({"object": {}}, "object: Extra inputs are not permitted"),
    ({"objects": {"Sample__c": {}}}, "Sample__c.label: Field required"),
    ({"objects": {"Account": {"label": "A"}}}, "Account: there is an object of this name already"),
    ({"objects": {"Thing": {"label": "A"}}}, "Thing: a standard object needs the `prefix` of its ids"),
    ({"objects": {"Thing": {"label": "A", "prefix": "001"}}}, "Thing: the prefix 001 belongs to Account"),
    ({"objects": {"X__e": {"label": "A"}}}, "X__e: the names of events, and of nothing else, end in __e"),
    ({"events": {"X__c": {"label": "A"}}}, "X__c: the names of events, and of nothing else, end in __e"),
    ({"objects": {"X y__c": {"label": "A"}}}, "X y__c"),
    ({"fields": {"Nothing__c": [FIELD]}}, "Nothing__c: there is no object of this name to add fields to"),
    ({"fields": {"Account": [{**FIELD, "name": "wh_account__c"}]}}, "Account.wh_account__c: there is a field of this"),
    ({"fields": {"Account": [FIELD, FIELD]}}, "Account.X__c: there is a field of this name already"),
    ({"fields": {"Account": [{**FIELD, "type": "strng"}]}}, "Account.X__c.type: Input should be 'id', 'string'"),
    ({"fields": {"Account": [{**FIELD, "lenght": 3}]}}, "Account.X__c.lenght: Extra inputs are not permitted"),
    ({"fields": {"Account": [{**FIELD, "type": "double", "scale": 19}]}}, "Account.X__c.scale"),
    ({"fields": {"Account": [{**FIELD, "type": "double", "precision": 2, "scale": 3}]}}, "cannot be greater than"),
    ({"fields": {"Account": [{**FIELD, "type": "reference"}]}}, "Account.X__c: a reference, and nothing else"),
    ({"fields": {"Account": [{**FIELD, "references": ["User"]}]}}, "a reference, and nothing else"),
    ({"fields": {"Account": [FIELD, "X"]}}, "Account.1: Input should be"),
    ({"fields": {"Account": [{**FIELD, "type": "reference", "references": ["Nil"]}]}}, "no object Nil to refer to"),
    ({"fields": {"Account": [{**FIELD, "type": "boolean", "required": True}]}}, "cannot be `required`"),
    ({"fields": {"Account": [{**FIELD, "type": "date", "unique": True}]}}, "can be `unique`"),
    ({"fields": {"Account": [{**FIELD, "values": ["a"]}]}}, "only a picklist has `values`"),
    ({"fields": {"Account": [{**FIELD, "default": 3}]}}, "`default` does not fit the type string"),
    ({"events": {"X__e": {"label": "A", "fields": [{**FIELD, "type": "picklist"}]}}}, "X__e.X__c: a field of an event"),
    ({"managedEventSubscriptions": {"M": {"topicName": "Sample"}}}, "M.topicName: String should match pattern"),
    ({"managedEventSubscriptions": {"M": {"topicName": "/event/A__e", "state": "GO"}}}, "M.state: Input should"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), WRONG)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, content: Any, words: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SchemaError) as refused:
        schema_files.load([path])
    assert str(refused.value).startswith(f"{path}: ") or "the prefix" in words
    assert words in str(refused.value)


def test_a_file_that_is_not_there_and_one_that_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No such file"):
        schema_files.load([tmp_path / "none.json"])
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(SchemaError, match="Invalid JSON"):
        schema_files.load([broken])


def test_a_second_file_builds_on_the_first(tmp_path: Path) -> None:
    first = written(tmp_path, {"objects": {"Base__c": {"label": "Base"}}}, "first.json")
    more = {"name": "Base__c", "type": "reference", "references": ["Base__c"]}
    second = written(tmp_path, {"fields": {"Base__c": [more]}}, "second.json")
    assert schema_files.load([first, second])["Base__c"].parent("Base__r") is not None
    with pytest.raises(SchemaError, match="there is no object of this name"):
        schema_files.load([second, first])
