"""The operator's commands for the official area codes, where they cannot do their work."""

from deploy import cli, commands, official_areas

BROKER = {
    "LINLI_AMQP_URI": "amqp://nobody@127.0.0.1/linli",
    "LINLI_RABBITMQ_MANAGEMENT_URL": "http://127.0.0.1",
}


def test_loading_says_which_variable_it_lacks(capsys):
    assert cli.main(["areas", "load-official"], BROKER) == commands.WRONG_USAGE
    assert "LINLI_DATABASE_URL_RESIDENTS must be set" in capsys.readouterr().err


def test_loading_says_what_to_do_first(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(official_areas.places, "cache", lambda: tmp_path)
    environ = BROKER | {"LINLI_DATABASE_URL_RESIDENTS": "postgresql://nobody@127.0.0.1/none"}

    assert cli.main(["areas", "load-official"], environ) == commands.REFUSED
    assert "fetch-official" in capsys.readouterr().err


def test_what_is_there_is_not_fetched_again(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(official_areas.places, "cache", lambda: tmp_path)
    official_areas.archive().touch()

    assert cli.main(["areas", "fetch-official"], BROKER) == commands.DONE
    assert str(official_areas.archive()) in capsys.readouterr().out


def test_whoever_has_no_npm_is_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(official_areas.places, "cache", lambda: tmp_path)
    monkeypatch.setattr(official_areas.shutil, "which", lambda *_, **__: None)

    assert cli.main(["areas", "fetch-official"], BROKER) == commands.REFUSED
    assert "npm is not there" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
