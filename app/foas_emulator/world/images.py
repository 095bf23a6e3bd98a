"""Database images kept in memory beside the worlds, within one byte budget."""

_LARGEST_COMPARED = 1024 * 1024
"""Bytes of an image that is compared with others, which takes a millisecond for each mebibyte."""


class ImageBudgetError(Exception):
    """One more image would exceed the budget."""


class KeptImage:
    """An image that counts in a budget for as long as somebody holds this object."""

    __slots__ = ("_budget", "content")

    def __init__(self, budget: "ImageBudget", content: bytes) -> None:
        self._budget = budget
        self.content = content

    def __del__(self) -> None:
        self._budget.release(self.content)


class ImageBudget:
    """Bytes of all images that are kept: what worlds reset to, and what they were before a call.

    Equal images are stored and counted once, unless they are so large that comparing them takes long.
    """

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._images: dict[bytes | int, tuple[bytes, int]] = {}

    def keep(self, image: bytes, *, instead_of: KeptImage | None = None) -> KeptImage:
        """Add an image to the budget; return what keeps it. Raise `ImageBudgetError` if it does not fit.

        `instead_of` is let go by its only holder once this succeeds, so that it need not fit beside the new one.
        """
        key = _key(image)
        shared, holders = self._images.get(key, (image, 0))
        added = 0 if holders else len(image)
        kept = self.size - (0 if instead_of is None else self._only_for(instead_of))
        if kept + added > self.limit:
            raise ImageBudgetError(
                f"{kept} bytes of images are kept and {added} more do not fit into {self.limit}: "
                "DELETE worlds that have a beginning of their own, or allow more with the setting image_bytes."
            )
        self.size += added
        self._images[key] = shared, holders + 1
        return KeptImage(self, shared)

    def _only_for(self, kept: KeptImage) -> int:
        """Return the bytes that are released with a kept image: none while others hold one that is equal."""
        _, holders = self._images[_key(kept.content)]
        return len(kept.content) if holders == 1 else 0

    def release(self, image: bytes) -> None:
        """Remove one holder of an image, and with the last one the image from the budget."""
        key = _key(image)
        _, holders = self._images[key]
        if holders > 1:
            self._images[key] = image, holders - 1
        else:
            del self._images[key]
            self.size -= len(image)


def _key(image: bytes) -> bytes | int:
    """Return what tells images apart: their bytes, or of a large one which object it is."""
    return image if len(image) <= _LARGEST_COMPARED else id(image)
