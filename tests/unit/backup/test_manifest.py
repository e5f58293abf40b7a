"""What a backup says of itself, and what is found wrong with one."""

import json

import pytest

from deploy.backup.manifest import (
    KEYS,
    NAME,
    Damaged,
    Database,
    File,
    Manifest,
    WrongKeys,
    check_keys,
    fingerprints,
)
from deploy.settings import SettingMissing

SECRETS = {
    "LINLI_MASTER_KEYS": "k1:b25l,k2:dHdv",
    "LINLI_BLIND_INDEX_KEY": "dGhyZWU=",
    "LINLI_SECRET": "a secret that somebody made up",
    "LINLI_WEBHOOK_KEY": "Zm91cg==",
}


@pytest.fixture
def manifest(tmp_path):
    """A whole backup of almost nothing."""
    for name in ("tickets.dump", "events.jsonl.gz", "departments.json"):
        (tmp_path / name).write_bytes(name.encode())
    dumped = Database(File.of(tmp_path / "tickets.dump"), "18.6", ["0006"], {"tickets": 3})
    made = Manifest(
        taken_at="2026-12-01T03:15:00+08:00",
        pause_ms=40,
        databases={"tickets": dumped},
        log=File.of(tmp_path / "events.jsonl.gz"),
        events=7,
        departments=File.of(tmp_path / "departments.json"),
        keys=fingerprints(SECRETS),
    )
    made.write(tmp_path)
    return made


def test_what_was_written_is_read(manifest, tmp_path):
    assert Manifest.read(tmp_path) == manifest
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_fingerprints_name_every_key_and_tell_none(manifest, tmp_path):
    assert list(manifest.keys) == [
        *("LINLI_MASTER_KEYS k1", "LINLI_MASTER_KEYS k2", "LINLI_BLIND_INDEX_KEY"),
        *("LINLI_SECRET", "LINLI_WEBHOOK_KEY 1"),
    ]
    text = (tmp_path / NAME).read_text()
    assert [part for part in ("b25l", "dHdv", "dGhyZWU", "made up", "Zm91cg") if part in text] == []


def test_more_keys_than_the_backup_needs_are_as_good(manifest):
    rotated = {
        "LINLI_MASTER_KEYS": "k1:b25l,k2:dHdv,k3:bmV3",
        "LINLI_WEBHOOK_KEY": "Zm91cg==,bmV3",
    }

    check_keys(manifest, {**SECRETS, **rotated})


def test_a_key_that_is_not_here_is_named(manifest):
    with pytest.raises(WrongKeys, match="LINLI_MASTER_KEYS k1;"):
        check_keys(manifest, {**SECRETS, "LINLI_MASTER_KEYS": "k2:dHdv"})


@pytest.mark.parametrize("variable", KEYS)
def test_keys_that_are_not_set_are_named(variable):
    with pytest.raises(SettingMissing, match=variable):
        fingerprints({**SECRETS, variable: ""})


def test_a_folder_without_a_manifest_is_no_backup(tmp_path):
    with pytest.raises(Damaged, match="no backup"):
        Manifest.read(tmp_path)


def test_a_file_that_is_missing_altered_or_cut_short_is_named(manifest, tmp_path):
    dump = tmp_path / "tickets.dump"
    for content in (b"another", dump.read_bytes()[:-1]):
        dump.write_bytes(content)
        with pytest.raises(Damaged, match=r"tickets\.dump"):
            Manifest.read(tmp_path)
    dump.unlink()
    with pytest.raises(Damaged, match="missing"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("change", [{"format": 2}, {"log": None}, {"surprise": 1}])
def test_a_manifest_of_another_kind_is_not_taken_for_ours(manifest, tmp_path, change):
    told = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps({**told, **change}))

    with pytest.raises(Damaged):
        Manifest.read(tmp_path)
