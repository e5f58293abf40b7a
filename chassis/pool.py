"""The connections of one engine: SQLAlchemy's pool, which tells how long anybody waited for one."""

from sqlalchemy import PoolProxiedConnection, QueuePool

from chassis import metrics


class Pool(QueuePool):
    """As large as there are workers, it lets none of them wait: any wait that is counted is one
    too many, whether or not a connection came in the end.
    """

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() < self.size():
            return super().connect()
        with metrics.POOL_WAIT_SECONDS.time():
            return super().connect()
