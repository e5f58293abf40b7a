"""`departments`: city departments and partner organisations."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import registry as schemas
from services.gateway.schemas.common import list_of


class Departments(Capability):
    """Everybody may look; administrators add and change. Who works there is for the department
    itself, for those who give it work, and for administrators.
    """

    @operation(
        "GET",
        "/departments",
        policy="departments.read",
        query=schemas.DepartmentQuery,
        answer=list_of(schemas.Department),
    )
    def list_departments(self, ask: Ask) -> Any:
        """Departments, by code."""
        return ask.of(self.residents).list_departments(ask.command())

    @operation(
        "POST",
        "/departments",
        policy="departments.write",
        body=schemas.NewDepartment,
        answer=schemas.Department,
        status=201,
        location="/departments/{code}",
        errors=("409 department_exists",),
    )
    def add_department(self, ask: Ask) -> Any:
        """Add a department."""
        return ask.of(self.residents).add_department(ask.command())

    @operation(
        "GET",
        "/departments/<code>",
        policy="departments.read",
        answer=schemas.Department,
        errors=(NotFound,),
    )
    def get_department(self, ask: Ask) -> Any:
        """One department."""
        return ask.of(self.residents).get_department(ask.command())

    @operation(
        "GET",
        "/departments/<code>/clerks",
        policy="department_clerks.read",
        query=schemas.DepartmentClerkQuery,
        answer=list_of(schemas.DepartmentClerk),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_department_clerks(self, ask: Ask) -> Any:
        """Who works for a department today, or did on another day."""
        return ask.of(self.residents).list_department_clerks(ask.command())

    @operation(
        "PATCH",
        "/departments/<code>",
        policy="departments.write",
        body=schemas.DepartmentChange,
        answer=schemas.Department,
        if_match="whole",
        errors=(NotFound,),
    )
    def change_department(self, ask: Ask) -> Any:
        """Rename a department, close it or open it again."""
        residents = ask.of(self.residents)
        ask.compare(lambda: residents.get_department(dict(ask.path)))
        return residents.change_department(ask.command())
