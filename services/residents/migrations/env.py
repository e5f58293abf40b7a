"""Where Alembic finds the schema of residents."""

from chassis.migrate import run_migrations
from services.residents import official_areas as _official  # noqa: F401 - declares its table
from services.residents import personal_models as _personal  # noqa: F401 - declares its tables
from services.residents import phone_changes as _changes  # noqa: F401 - declares its table
from services.residents import withdrawn_phones as _withdrawn  # noqa: F401 - declares its table
from services.residents.care import models as _care  # noqa: F401 - declares its table
from services.residents.imports import models as _imports  # noqa: F401 - declares its tables
from services.residents.models import Base

run_migrations(Base.metadata)
