"""Which of a machine's package sources are asked, and what counts as installed."""

import pytest

from deploy.local import debian

BOOKWORM = {"VERSION_ID": "12", "VERSION_CODENAME": "bookworm"}


@pytest.fixture
def etc_apt(tmp_path, monkeypatch):
    (tmp_path / "sources.list.d").mkdir()
    monkeypatch.setattr(debian, "ETC_APT", tmp_path)
    monkeypatch.setattr(debian, "_release", lambda: BOOKWORM)
    return tmp_path


def test_debians_own_sources_are_kept_and_others_left_out(etc_apt):
    (etc_apt / "sources.list").write_text(
        "# a comment\n"
        "deb http://mirror.example/debian bookworm main contrib\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb [arch=amd64] https://download.example/linux/debian bookworm stable\n"
        "deb https://packages.example/apt cloud-sdk-bookworm main\n"
    )

    assert debian.debian_sources() == ["deb http://mirror.example/debian bookworm main contrib"]


def test_stanzas_become_a_line_for_each_suite(etc_apt):
    (etc_apt / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\n# a snapshot\nURIs: http://mirror.example/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/debian.gpg\n"
        "\n"
        "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\n"
        "Components: main\nEnabled: no\n"
    )

    assert debian.debian_sources() == [
        "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main",
        "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm-updates main",
    ]


def test_sources_of_another_release_are_left_out(etc_apt):
    (etc_apt / "sources.list").write_text("deb http://mirror.example/debian trixie main\n")

    assert debian.debian_sources() == []


def test_packages_of_the_tree_count_as_not_installed():
    status = "Package: erlang-base\nStatus: installed\n\nPackage: libc6\nStatus: installed\n\n"

    assert "erlang-base" not in debian.without(status, "rabbitmq-server|erlang-.*")
    assert "libc6" in debian.without(status, "rabbitmq-server|erlang-.*")
