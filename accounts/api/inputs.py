"""What bodies and queries of the API are checked with, whatever they are about."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers


class StrictInput(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt one must not be passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            words = "There is no such field. Leave it out."
            raise serializers.ValidationError({name: [words] for name in unknown}, code="unknown")
        return super().to_internal_value(data)


class OneOf(serializers.ChoiceField):
    """One of some words, an enumeration's say; a refusal lists them."""

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        super().__init__(choices=[str(word) for word in words], **options)
        listed = ", ".join(self.choices)
        self.error_messages["invalid_choice"] = f'"{{input}}" is not one of {listed}.'
