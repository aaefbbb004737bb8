"""Events in, payloads out: each written by hand from published rules, named in the file."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from judging import judge, source

from pinyon.flows.route import Ready
from pinyon.testing.oracle import check_payloads

FILES = sorted((Path(__file__).parent / "vectors").glob("*.json"))
VECTORS = [json.loads(path.read_text("utf-8")) for path in FILES]


def seconds(text):
    return datetime.fromisoformat(text).timestamp() if text is not None else None


@pytest.mark.parametrize("vector", VECTORS, ids=[path.stem for path in FILES])
def test_vector(vector):
    received = vector["received"]
    verdict = judge(
        vector["event"],
        at=source(vector["source_kind"]),
        now=seconds(vector["now"]),
        sent_at=seconds(received["sent_at"]),
        ip=received["ip"],
        user_agent=received["user_agent"],
        dialect=vector.get("dialect", "segment"),
        categories=vector.get("consent_categories", ()),
    )
    if "withheld" in vector:
        assert (verdict.state, verdict.cause) == ("withheld", vector["withheld"])
        return
    assert isinstance(verdict, Ready), verdict
    found = json.loads(verdict.payload)
    check_payloads([found, vector["payload"]], clear=["jane.doe", "1234567", "user-1"])
    assert found == vector["payload"]


def test_every_vector_names_its_source():
    assert len(VECTORS) > 5
    for vector in VECTORS:
        assert len(vector["source"]) > 40
