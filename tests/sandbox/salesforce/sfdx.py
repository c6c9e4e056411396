"""An SFDX project held against the sandbox's schema: what one says and the other does not (salesforce-org.md, 2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sandbox.salesforce.orders import category
from sandbox.salesforce.schema import Field, SObject

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
TYPES = {
    "AutoNumber": "string", "Checkbox": "boolean", "Currency": "currency", "Date": "date", "DateTime": "datetime",
    "Email": "email", "LongTextArea": "textarea", "Lookup": "reference", "MasterDetail": "reference",
    "MultiselectPicklist": "multipicklist", "Number": "double", "Percent": "percent", "Phone": "phone",
    "Picklist": "picklist", "Text": "string", "TextArea": "textarea", "Url": "url",
}  # fmt: skip
VALUE_SETS = {
    "OrderStatus": ("Order", "Status"),
    "OrderType": ("Order", "Type"),
    "OpportunityStage": ("Opportunity", "StageName"),
    "CaseOrigin": ("Case", "Origin"),
    "CasePriority": ("Case", "Priority"),
    "CaseStatus": ("Case", "Status"),
    "CaseType": ("Case", "Type"),
}


@dataclass(frozen=True)
class Metadata:
    """One metadata file: its name without the suffixes, and what it says."""

    name: str
    root: ElementTree.Element

    def text(self, path: str, default: str = "") -> str:
        return self.root.findtext(_qualified(path), default).strip()

    def texts(self, path: str) -> list[str]:
        return [(each.text or "").strip() for each in self.root.findall(_qualified(path))]

    def truth(self, path: str) -> bool:
        return self.text(path) == "true"

    def number(self, path: str) -> int:
        return int(self.text(path) or 0)


def differences(types: Iterable[SObject], project: Path) -> list[str]:
    """A sentence for each custom field, event and picklist in which the project and these types differ."""
    known = {each.name: each for each in types}
    found = {name: list(_files(folder, "fields/*.field-meta.xml")) for name, folder in _object_folders(project).items()}
    sentences = [f"{name}: not in the sandbox" for name in found if name not in known]
    for name, sobject in known.items():
        sentences += _of_object(sobject, found.get(name, []))
    for value_set in _files(project, "**/standardValueSets/*.standardValueSet-meta.xml"):
        object_name, field_name = VALUE_SETS[value_set.name]
        if object_name in known:
            sentences += _of_value_set(value_set, known[object_name].fields[field_name.casefold()])
    return sentences


def _object_folders(project: Path) -> dict[str, Path]:
    return {folder.name: folder for folder in sorted(project.glob("**/objects/*")) if folder.is_dir()}


def _files(folder: Path, pattern: str) -> Iterator[Metadata]:
    for path in sorted(folder.glob(pattern)):
        yield Metadata(path.name.split(".", 1)[0], ElementTree.parse(path).getroot())


def _of_object(sobject: SObject, files: list[Metadata]) -> Iterator[str]:
    described = {each.name: each for each in files}
    own = {each.name: each for each in sobject.fields.values() if each.custom}
    yield from (f"{sobject.name}.{name}: not in the project" for name in own if name not in described)
    for name, file in described.items():
        if name not in own:
            yield f"{sobject.name}.{name}: not in the sandbox"
        else:
            yield from (f"{sobject.name}.{name}: {each}" for each in _of_field(own[name], file))


def _of_field(field: Field, file: Metadata) -> Iterator[str]:
    kind = file.text("type")
    wanted = _expected(file, kind)
    yield from (
        f"{name} is {theirs!r} in the project, {ours!r} in the sandbox"
        for name, theirs in wanted.items()
        if theirs != (ours := _ours(field, name))
    )


def _expected(file: Metadata, kind: str) -> dict[str, object]:
    """What the file says, in describe's words; of its type, only what such a field has."""
    said: dict[str, object] = {
        "label": file.text("label"),
        "type": TYPES.get(kind, kind),
        "required": file.truth("required"),
    }
    if kind in ("Text", "LongTextArea"):
        said["length"] = file.number("length")
    if kind in ("Number", "Currency", "Percent"):
        said |= {"precision": file.number("precision"), "scale": file.number("scale")}
    if kind in ("Text", "Number", "Email"):
        said |= {"unique": file.truth("unique"), "external_id": file.truth("externalId")}
    if kind in ("Picklist", "MultiselectPicklist"):
        said |= {
            "restricted": file.truth("valueSet/restricted"),
            "values": tuple(file.texts("valueSet/valueSetDefinition/value/fullName")),
        }
    if kind in ("Lookup", "MasterDetail"):
        said["references"] = tuple(file.texts("referenceTo"))
    if kind == "Checkbox":
        said["default"] = file.truth("defaultValue")
    return said


def _ours(field: Field, name: str) -> object:
    return bool(field.default) if name == "default" else getattr(field, name)


def _of_value_set(file: Metadata, field: Field) -> Iterator[str]:
    values = file.texts("standardValue/fullName")
    if sorted(values) != sorted(field.values):
        yield f"{file.name}: the project has {values}, the sandbox {list(field.values)}"
    if file.name == "OrderStatus":
        groups = file.texts("standardValue/groupingString")
        for value, group in zip(values, groups, strict=True):
            if category(value) != group:
                yield f"{file.name}: {value} is {group} in the project, {category(value)} in the sandbox"


def _qualified(path: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))
