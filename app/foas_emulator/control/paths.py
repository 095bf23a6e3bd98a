"""Parameters in the paths of the control API."""

from typing import Annotated

from fastapi import Path

WorldName = Annotated[str, Path(alias="world")]
