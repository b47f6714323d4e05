"""Browsers that are told of alerts by web push."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


class PushSubscription(SQLModel, table=True):
    """One browser of one person."""

    __tablename__ = "push_subscription"

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="account.id", index=True)
    endpoint: str = Field(unique=True, repr=False)
    """Address at the browser's push service; whoever knows it can write there."""
    p256dh: str
    """The browser's public key, base64url."""
    auth: str = Field(repr=False)
    """What encryption is authenticated with, base64url."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime(), nullable=False))
