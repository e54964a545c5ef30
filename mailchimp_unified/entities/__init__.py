"""The unified entities. Each module holds both directions of its mapping; ENTITIES is the table everything loops over."""

from __future__ import annotations

from mailchimp_unified.entities import audience, contact, tag, user
from mailchimp_unified.entities.entity import Entity

CONTACT, AUDIENCE, TAG, USER = contact.ENTITY, audience.ENTITY, tag.ENTITY, user.ENTITY

ENTITIES: dict[str, Entity] = {entity.name: entity for entity in (CONTACT, AUDIENCE, TAG, USER)}
"""Stream name to entity."""

__all__ = ["AUDIENCE", "CONTACT", "ENTITIES", "TAG", "USER", "Entity"]
