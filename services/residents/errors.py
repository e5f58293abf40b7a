"""What residents refuses, beyond what every service refuses."""

from chassis.errors import Conflict, Invalid


class AreaExists(Conflict):
    """There is an area with this code already."""

    code = "area_exists"


class DepartmentExists(Conflict):
    """There is a department with this code already."""

    code = "department_exists"


class DutyOverlaps(Conflict):
    """This person has the same duty on some of these days already."""

    code = "duty_overlaps"


class HouseholdExists(Conflict):
    """There is a household at this door already."""

    code = "household_exists"


class HouseholdIsClosed(Conflict):
    """This household has been closed."""

    code = "household_is_closed"


class ConsentGiven(Conflict):
    """This person has agreed to this purpose already."""

    code = "consent_given"


class OnDuty(Conflict):
    """Whoever has a duty cannot be erased: end their duties first."""

    code = "on_duty"


class ResidentExists(Conflict):
    """Someone with this phone or ID number is registered already."""

    code = "resident_exists"


def invalid(field: str, code: str, message: str) -> Invalid:
    """An Invalid that points at one field of the command."""
    return Invalid(errors=[{"pointer": f"/{field}", "code": code, "message": message}])
