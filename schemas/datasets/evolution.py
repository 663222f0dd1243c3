"""What may change in the definition of a dataset that has a table: fields are gained, types are widened, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import FieldType, storage_type, widens_to

ROW_PER_VISIT = "observations"


@dataclass(frozen=True, slots=True)
class DefinitionChanges:
    """The difference of two definitions: fields that the table gains or whose type is widened, and what is refused, with the way out."""

    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def compare_definitions(old: Dataset, new: Dataset) -> DefinitionChanges:
    """The changes from one definition of a dataset to another. Descriptions, sources, steps and expectations may change at any time."""
    changes = compare_fields({name: field.field_type for name, field in old.fields.items()}, new)
    return DefinitionChanges(changes.added, changes.widened, (*changes.refused, *compare_identity(old.key, old.history, new)))


def compare_identity(key: Sequence[str], history: str, new: Dataset) -> list[str]:
    """What is refused, with the way out, where a table's rows have this key and history."""
    refused: list[str] = []
    if tuple(key) != new.key:
        refused.append(
            f"the key was [{', '.join(key)}] and would be [{', '.join(new.key)}]: rows would lose their identity. {_way_out(new)}"
        )
    if (history == ROW_PER_VISIT) != (new.history == ROW_PER_VISIT):
        refused.append(f"the history was {history} and would be {new.history}: the rows would mean different things. {_way_out(new)}")
    return refused


def compare_fields(stored: dict[str, FieldType], new: Dataset) -> DefinitionChanges:
    """The changes from a table's own columns (without those that every dataset has) to a definition. JSON is a text in a table."""
    added = tuple(name for name in new.fields if name not in stored)
    widened: list[str] = []
    refused: list[str] = []
    for name, old_type in stored.items():
        if name not in new.fields and new.is_built_in:
            continue  # nobody has to go on filling what was added to articles once; the column is NULL in new rows
        if name not in new.fields:
            refused.append(f"the field {name!r} is missing, but the table has it. Declare it again; nothing needs to fill it.")
            continue
        new_type = new.fields[name].field_type
        held, needed = storage_type(old_type), storage_type(new_type)
        if held == needed:
            continue
        if widens_to(held, needed):
            widened.append(name)
        else:
            refused.append(f"the field {name!r} is {old_type} in the table and would be {new_type}. Keep its type; declare a new field.")
    return DefinitionChanges(added, tuple(widened), tuple(refused))


def _way_out(dataset: Dataset) -> str:
    return f"Keep it, or give the dataset another name: copy {dataset.name}.yaml to a new file."
