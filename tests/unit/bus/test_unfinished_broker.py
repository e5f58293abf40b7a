"""A private broker that was killed amid its first declarations starts from nothing."""

from deploy.local.rabbitmq import PrivateRabbitMQ


def test_data_is_thrown_away_until_the_first_declarations_are_done(tmp_path):
    broker = PrivateRabbitMQ(tmp_path / "rabbitmq")
    broker.folder.mkdir()
    (broker.folder / "queue").touch()

    broker.forget_unfinished()

    assert not broker.folder.exists()


def test_data_is_kept_once_they_are(tmp_path):
    broker = PrivateRabbitMQ(tmp_path / "rabbitmq")
    broker.folder.mkdir()
    (broker.folder / "queue").touch()
    broker.keep_declared()

    broker.forget_unfinished()

    assert (broker.folder / "queue").exists()
