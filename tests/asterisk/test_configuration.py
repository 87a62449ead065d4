"""What is shipped, read as a whole: it loads without a complaint and names nothing that is not there."""

import re
import shutil
from pathlib import Path

import pytest

from tests.asterisk.place import Place
from tests.asterisk.server import SHIPPED, Asterisk, ports

DIALPLAN = (SHIPPED / "extensions.conf", *sorted(SHIPPED.glob("site*/**/*.conf")))
CONTEXTS = re.compile(r"(?m)^\[([\w-]+)\]")
STEP = re.compile(r"^(?:exten\s*=>\s*[^,]+,\w+|\s*same\s*=>\s*n)(?:\([\w-]+\))?,(\w+)\(")
FUNCTION = re.compile(r"[#$]\{([A-Z_]{2,})\(|Set\((?:__)?([A-Z]+)\(")
FORBIDDEN = re.compile(
    r"\b(System|TrySystem|Exec|TryExec|ExecIf|ExternalIVR|Originate|SHELL|ENV|FILE|CURL|EVAL|AELSub)\("
)
OUTSIDE = ("EXTEN", "CALLERID(num)", "CALLERID(name)", "CONNECTEDLINE(num)", "UNIQUEID")
OF_THE_GATEWAY = re.compile(r"\$\{(IVR_\w+|CB_\w+|QUEUESTATUS|DIALSTATUS)\}")


def lines() -> list[str]:
    """Return what is run, without comments."""
    text = (SHIPPED / "extensions.conf").read_text("utf-8") + (SHIPPED / "site/numbers.conf").read_text(
        "utf-8"
    )
    return [line for line in text.splitlines() if line.strip() and not line.startswith(";")]


def test_nothing_in_the_dialplan_runs_programs_or_reads_files():
    assert not [line for line in lines() if FORBIDDEN.search(line)]


def test_what_came_from_outside_is_filtered_wherever_it_is_used():
    wrong = []
    for line in lines():
        for found in OF_THE_GATEWAY.finditer(line):
            before = line[: found.start()]
            compared = re.search(r'\$\["$', before) and found[1] in {"QUEUESTATUS", "DIALSTATUS"}
            if not compared and not re.search(r"FILTER\([^,]+,$", before):
                wrong.append(line)
        for name in OUTSIDE:
            used = "${" + name + "}"
            for place in re.finditer(re.escape(used), line):
                before = line[: place.start()]
                known = "gudok-numbers" in line or re.match(r"exten => [\d_]\w*,1", line)
                known = known or "PJSIP/" in line
                if not known and not re.search(r"FILTER\([^,]+,$", before):
                    wrong.append(line)
    assert not wrong


def test_every_way_through_the_dialplan_leads_somewhere():
    text = "\n".join(lines())
    there = set(CONTEXTS.findall(text))
    for context in re.findall(r"(?:Goto|Gosub)\((gudok-[\w-]+|cb-[\w-]+),", text):
        assert context in there
    for context in re.findall(r"\?(gudok-[\w-]+),", text):
        assert context in there
    for context in re.findall(r"include => ([\w-]+)", text):
        assert context in there


@pytest.mark.asterisk
def test_every_application_and_function_of_the_dialplan_is_there(asterisk: Asterisk):
    applications = {found[1] for line in lines() if (found := STEP.match(line))}
    functions = {one or other for line in lines() for one, other in FUNCTION.findall(line)}
    assert {"AGI", "Queue", "Dial", "Goto"} <= applications
    assert {"FILTER", "TIMEOUT", "DB"} <= functions
    for name in sorted(applications | {"Read", "Background", "StoreDTMF"}):
        assert "Info about" in asterisk.cli(f"core show application {name}"), name
    for name in sorted(functions):
        assert "Info about" in asterisk.cli(f"core show function {name}"), name


@pytest.mark.asterisk
def test_the_dialplan_loads_without_a_complaint(asterisk: Asterisk):
    said = "\n".join(asterisk.log())
    assert "extensions.conf" not in said
    assert "pbx_config.c" not in said
    assert "res_pjsip" not in re.sub(r"res_pjsip_session\.c:.*rejected.*", "", said)
    for queue in ("support", "sales", "experts"):
        assert f"{queue} has" in asterisk.cli(f"queue show {queue}")


@pytest.mark.asterisk
@pytest.mark.parametrize("module", ["app_system", "func_shell", "func_env", "func_curl", "app_originate"])
def test_dangerous_modules_are_not_loaded(asterisk: Asterisk, module: str):
    assert "0 modules loaded" in asterisk.cli(f"module show like {module}")


SITES = sorted(path.name for path in (SHIPPED / "sites").iterdir())


@pytest.mark.asterisk
@pytest.mark.parametrize("site", ["", *SITES])
def test_every_sample_of_a_site_starts(tmp_path: Path, site: str):
    """The shipped files as they are: only the port is another one."""
    files = {path.name: path.read_text("utf-8") for path in (SHIPPED / "site").iterdir()}
    if site:
        files |= {path.name: path.read_text("utf-8") for path in (SHIPPED / "sites" / site).iterdir()}
    with ports() as base:
        place = Place(base)
        bind = re.sub(r"(?m)^bind = \S+", f"bind = 127.0.0.1:{place.sip}", files["pjsip.conf"])
        server = Asterisk(tmp_path / "there", files | {"pjsip.conf": bind}, place.ami, place.rtp)
        server.folder.mkdir()
        try:
            server.start()
            assert "gudok-agi" in server.cli("dialplan show gudok-agi")
            assert "support has" in server.cli("queue show support")
            # The other site is not there, and whether that is noticed already is chance.
            said = "\n".join(line for line in server.log() if "sending OPTIONS" not in line)
        finally:
            server.stop()
            shutil.rmtree(server.folder)
    for source in ("pbx_config", "res_pjsip", "app_queue.c: ERROR", "res_sorcery_config.c: Could not"):
        assert source not in said, said
