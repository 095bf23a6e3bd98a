"""Documents in which null means the same as leaving a member out."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, model_validator


class NullsLeftOut(BaseModel):
    """Base of models whose members may be null: such a member takes its default, as if it were not given.

    A required member that is null is missing; a member that the model does not have stays an error.
    """

    @model_validator(mode="before")
    @classmethod
    def leave_nulls_out(cls, document: Any) -> Any:
        """Return the document without the model's own members that are null."""
        if not isinstance(document, Mapping) or None not in document.values():
            return document
        own = {field.alias or name for name, field in cls.model_fields.items()}
        return {name: value for name, value in document.items() if value is not None or name not in own}
