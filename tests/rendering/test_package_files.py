"""The files of the package beside its code."""

from __future__ import annotations

from pwless_middleware.rendering.package_files import find_package_files


def test_files_of_another_kind_beside_ours_are_left_alone() -> None:
    """An editor's copy, or what a package manager puts there."""
    assert set(find_package_files("static", [".css"])) == {
        "dashboard.css",
        "pwless.css",
        "setup.css",
    }
