"""Documents in which a null member means the same as an absent one."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, model_validator


class NullsLeftOut(BaseModel):
    """Base of models whose members may be null: such a member gets its default, as if it were absent.

    A required member that is null is missing; a member that the model does not have is still an error.
    """

    @model_validator(mode="before")
    @classmethod
    def leave_nulls_out(cls, document: Any) -> Any:
        """Return the document without the model's own members that are null."""
        if not isinstance(document, Mapping) or None not in document.values():
            return document
        own = {field.alias or name for name, field in cls.model_fields.items()}
        return {name: value for name, value in document.items() if value is not None or name not in own}
