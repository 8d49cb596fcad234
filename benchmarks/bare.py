"""The least that such a route can be: FastAPI, SQLAlchemy, one row by its primary key, no accounts, no log.

Usage: python benchmarks/bare.py PORT FOLDER
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
# fewer connections than clients deadlock: sessions are given back on threads, all of which wait for one
engine = create_engine(f"sqlite:///{Path(sys.argv[2]) / 'bare.db'}", pool_size=250)


class Base(DeclarativeBase):
    """Base of the one model."""


class Item(Base):
    """A row."""

    __tablename__ = "items"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))


class Answer(BaseModel):
    """What the route answers."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    name: str
    role: str


def get_session() -> Iterator[Session]:
    """A session for each request."""
    with Session(engine) as session:
        yield session


@app.get("/items/{id}")
def show(id: str, session: Annotated[Session, Depends(get_session)]) -> Answer:  # noqa: A002
    """Look one row up."""
    item = session.get(Item, id)
    if item is None:
        raise HTTPException(404)
    return Answer.model_validate(item)


if __name__ == "__main__":
    Base.metadata.create_all(engine)
    with Session(engine) as first, first.begin():
        first.add(Item(id="1", email="bench@example.org", name="Bench", role="admin"))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
