"""What residents refuses, beyond what every service refuses."""

from chassis.errors import Conflict, Forbidden, Invalid
from services.residents.reach import Denied


class AreaExists(Conflict):
    """There is an area with this code already."""

    code = "area_exists"


class DepartmentExists(Conflict):
    """There is a department with this code already."""

    code = "department_exists"


class DutyOverlaps(Conflict):
    """This person has the same duty on some of these days already."""

    code = "duty_overlaps"


class CareTagGiven(Conflict):
    """This person has this care tag already."""

    code = "care_tag_given"


class PhoneWithdrawn(Forbidden):
    """This number was taken from whom it belonged to, and signs nobody in."""

    code = "phone_withdrawn"


class PhoneOnHold(Forbidden):
    """Somebody else changed this number a short while ago: it signs in from `works_from` on."""

    code = "phone_on_hold"


class HouseholdExists(Conflict):
    """There is a household at this door already."""

    code = "household_exists"


class HouseholdInhabited(Conflict):
    """People live in this household: they move out first."""

    code = "household_inhabited"


class HouseholdIsClosed(Conflict):
    """This household has been closed."""

    code = "household_is_closed"


class ConsentGiven(Conflict):
    """This person has agreed to this purpose already."""

    code = "consent_given"


class NumbersOfStaff(Denied):
    """Phone and ID number of whoever has a duty are for administrators to change."""

    code = "numbers_of_staff"


class OnDuty(Conflict):
    """Whoever has a duty cannot be erased: end their duties first."""

    code = "on_duty"


class AlreadyMember(Conflict):
    """This person lives in the household on some of these days already."""

    code = "already_member"


class HeadExists(Conflict):
    """The household has a head on some of these days already."""

    code = "head_exists"


class ResidenceOverlaps(Conflict):
    """This person is registered in another household on some of these days."""

    code = "residence_overlaps"


class ResidentExists(Conflict):
    """Someone with this phone or ID number is registered already."""

    code = "resident_exists"


def invalid(field: str, code: str, message: str) -> Invalid:
    """An Invalid that points at one field of the command."""
    return Invalid(errors=[{"pointer": f"/{field}", "code": code, "message": message}])
