"""Whole dialogs, each way, in every shipped dialect with centres of three other makers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from smpp.settings import Tls
from smpp.testing.dialect import SHIPPED
from tests.end_to_end.foreign_centre import Foreign, ForeignCentre, Node, Perl, Rust
from tests.end_to_end.stage import staged
from tests.end_to_end.test_dialects import EXTRA, begun_dialogs, whole_dialogs
from tests.smpp.test_link_tls import LOCAL, Authority

MAKERS = [
    pytest.param(Node, marks=pytest.mark.node, id="node"),
    pytest.param(Perl, marks=pytest.mark.perl, id="perl"),
    pytest.param(Rust, id="rust"),
]


@pytest.mark.parametrize("name", list(SHIPPED))
@pytest.mark.parametrize("maker", MAKERS)
async def test_whole_dialogs_of_both_sides(tmp_path: Path, maker: Callable[[], Foreign], name: str):
    centre = ForeignCentre(maker(), SHIPPED[name])
    async with staged(tmp_path, speaks=name, centre=centre, files=EXTRA) as stage:
        await whole_dialogs(stage, name)
        if SHIPPED[name].abort != "silent":
            assert not centre.strays
        await begun_dialogs(stage)


@pytest.mark.node
async def test_whole_dialogs_over_tls(tmp_path: Path):
    keys = tmp_path / "keys"
    keys.mkdir()
    authority = Authority(keys, "operator")
    certificate, key = authority.issue("centre", LOCAL)
    node = Node(GUDOK_TLS_KEY=str(key), GUDOK_TLS_CERT=str(certificate))
    centre = ForeignCentre(node, SHIPPED["standard"])
    link = {"tls": Tls(ca_file=str(authority.file))}
    async with staged(tmp_path / "project", centre=centre, link=link) as stage:
        await whole_dialogs(stage, "standard")
