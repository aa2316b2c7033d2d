"""The container, the unit and the pods of the guide: their steps are done, their probes ours."""

from __future__ import annotations

import configparser
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.guide import PAGES, ROOT
from tests.guide import blocks as blocks_of
from tests.guide_checks.dockerfile import build, instructions, within
from tests.guide_checks.reading import Block, blocks
from tests.ports import free_port
from tests.reference.operations import make_app

KEY = "c41f0e9d7b5a4c3e8f6d2a1b9c8e7f60"
UNIT_KEYS = {
    "Unit": {"After", "Description", "Documentation", "Requires", "Wants"},
    "Service": {
        "AmbientCapabilities", "CapabilityBoundingSet", "DynamicUser", "Environment",
        "EnvironmentFile", "ExecReload", "ExecStart", "ExecStartPre", "Group", "KillSignal",
        "LimitNOFILE", "NoNewPrivileges", "PrivateDevices", "PrivateTmp",
        "ProtectHome", "ProtectSystem", "ReadWritePaths", "Restart",
        "RestartSec", "RestrictAddressFamilies", "StateDirectory", "TimeoutStopSec", "Type", "User",
        "WorkingDirectory",
    },
    "Install": {"WantedBy"},
    "Socket": {"ListenStream"},
    "Timer": {"OnCalendar", "Persistent"},
}  # fmt: skip


# --- the container -------------------------------------------------------------------------------


def test_a_dockerfile_is_read_line_by_line() -> None:
    assert instructions('# why\nFROM a\nRUN b && \\\n    c\n\nCMD ["d"]\n') == [
        ("FROM", "a"),
        ("RUN", "b && c"),
        ("CMD", '["d"]'),
    ]
    for wrong in ("COPYY a b", "RUN", "from a"):
        with pytest.raises(ValueError, match="no instruction"):
            instructions(wrong)
    assert (
        within("sqlite:////data/x /database", {"/data"}, Path("/t"))
        == "sqlite:////t/data/x /database"
    )


@pytest.mark.parametrize("block", blocks("dockerfile"), ids=str)
def test_the_steps_of_a_dockerfile_end_in_an_app_that_is_well(block: Block, tmp_path: Path) -> None:
    context, folder = tmp_path / "context", tmp_path / "image"
    context.mkdir()
    main = blocks_of("python", "PasswordlessMiddleware", PAGES[block.file.stem])[0]
    (context / "main.py").write_text(main)
    (context / "requirements.txt").write_text("# what this Python has already\n")
    port = free_port()
    image = build(re.sub(r"\b8000\b", str(port), block.text), context, folder)
    assert image.user not in ("", "root", "0")
    assert image.ports == [str(port)]
    given = {
        "PWLESS_SECRET_KEY": KEY,
        "BASE_URL": f"http://localhost:{port}",
        "SMTP_URL": "smtp://localhost:2525",
    }
    read = set(re.findall(r'os\.environ\["(\w+)"\]', main))
    assert read <= {*given, *image.environ}
    process = subprocess.Popen(image.command, env={**image.environ, **given}, cwd=image.workdir)
    try:
        deadline = time.monotonic() + 30
        while ask(image.health, image.environ) != 0:
            assert process.poll() is None, "the command has ended"
            assert time.monotonic() < deadline, "not well after 30 s"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert ask(image.health, image.environ) != 0  # of what is gone nobody says that it is well
    assert list((folder / "data").glob("pwless.db*"))  # in the volume


def ask(health: list[str], environ: dict[str, str]) -> int:
    """Return the exit code of a health check."""
    return subprocess.run(
        health, env=environ, capture_output=True, check=False, timeout=30
    ).returncode


def test_the_image_has_a_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for block in blocks("dockerfile"):
        bases = [argument for name, argument in instructions(block.text) if name == "FROM"]
        versions = re.findall(r"^python:(3\.\d+)-slim$", "\n".join(bases), re.MULTILINE)
        assert versions, block
        for version in versions:
            assert f"Programming Language :: Python :: {version}" in project["classifiers"], block


# --- systemd -------------------------------------------------------------------------------------


def units() -> list[Block]:
    """Return the blocks that are units of systemd."""
    return [block for block in blocks("ini") if re.search(r"^\[(Unit|Service)\]", block.text, re.M)]


def test_a_unit_has_sections_and_keys_that_systemd_knows() -> None:
    assert units()
    for block in units():
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(block.text)
        for section in unit.sections():
            assert set(unit[section]) <= UNIT_KEYS[section], block
        if "Service" in unit:
            assert re.fullmatch(r"(/[\w.-]+)+( .*)?", unit["Service"]["ExecStart"]), block


def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path) -> None:
    """Where there is a systemd; its keys are compared above on every machine."""
    for number, block in enumerate(units() if shutil.which("systemd-analyze") else []):
        file = tmp_path / f"app{number}.service"
        text = re.sub(r"^(ExecStart=)\S+", rf"\g<1>{sys.executable}", block.text, flags=re.M)
        file.write_text(re.sub(r"^User=\w+", "User=root", text, flags=re.M))
        verify = ["systemd-analyze", "verify", "--man=no", str(file)]
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if file.name in line] == [], block


# --- Kubernetes ----------------------------------------------------------------------------------


def test_a_pod_is_probed_at_a_path_of_ours() -> None:
    routes = {f"/auth{route.path}" for route in make_app("sqlite:///x.db").passwordless.routes.all}
    seen = 0
    for block in blocks("yaml"):
        for document in yaml.safe_load_all(block.text):
            if "apiVersion" not in document:
                continue
            assert {"kind", "metadata", "spec"} <= set(document), block
            for container in containers(document):
                ports = {port["containerPort"] for port in container["ports"]}
                for probe in (value for key, value in container.items() if key.endswith("Probe")):
                    seen += 1
                    asked = probe.get("httpGet") or probe["tcpSocket"]
                    assert asked["port"] in ports, block
                    assert "httpGet" not in probe or asked["path"] in routes, block
                liveness = container.get("livenessProbe", {})
                assert "httpGet" not in liveness, f"{block}: a restart mends no store"
    assert seen >= 2


def containers(document: Any) -> list[Any]:
    """Return the containers of an object that makes pods."""
    spec = document["spec"].get("template", {}).get("spec", {})
    found: list[Any] = spec.get("containers", [])
    return found
