"""The JSON Schema of seed documents as it is published; `seeds/schema.py` makes it."""

from importlib.resources import files


def published_schema() -> str:
    """Return the JSON Schema of seed documents."""
    return files("foas_emulator.fixtures").joinpath("seed.schema.json").read_text("utf-8")
