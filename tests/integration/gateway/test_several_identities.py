"""Asked for many tokens at once, the gateway says of each what it says of it alone."""

from datetime import timedelta
from uuid import uuid4

from chassis import clock
from chassis.ids import new_id
from services.gateway.authentication import TokenInvalid, identify, identify_several
from services.gateway.keys import NewKey, make_key
from services.gateway.models import Account, Duty
from services.gateway.sessions import CODE, PASSWORD, SignIn, open_session

GRID, WATER = "340603008002.e1.g1", "water"


def has_duty(session, person, role="grid_worker", starts=-1, ends=None, **place):
    today = clock.local(clock.now()).date()
    last = None if ends is None else today + timedelta(days=ends)
    first = today + timedelta(days=starts)
    session.add(
        Duty(duty=new_id(), person=person, role=role, starts=first, ends=last, sequence=1, **place)
    )


def administrates(session, person):
    session.add(
        Account(
            id=new_id(),
            login=str(person),
            person=person,
            password_hash="",
            administrator=True,
            command_id=new_id(),
            created_at=clock.now(),
        )
    )


def people(session):
    """Persons with nothing, with duties of yesterday, today and tomorrow, and an administrator."""
    nobody, worker, past, coming, administrator, both = (uuid4() for _ in range(6))
    has_duty(session, worker, area=GRID)
    has_duty(session, worker, "department_clerk", starts=0, ends=0, department=WATER)
    has_duty(session, past, area=GRID, ends=-1)
    has_duty(session, coming, area=GRID, starts=1)
    has_duty(session, both, "administrator")
    for person in (administrator, both):
        administrates(session, person)
    return nobody, worker, past, coming, administrator, both


def opened(session, person, method=PASSWORD, hours=1):
    sign_in = SignIn(person, method, timedelta(hours=hours))
    return open_session(session, sign_in, new_id(), clock.now())[1]


def key(session, kind, owner, *scopes):
    return make_key(session, NewKey("test", kind, owner, scopes, "test"), new_id(), clock.now())[1]


def one_by_one(session, tokens):
    found = {}
    for token in tokens:
        try:
            found[token] = identify(session, token, clock.now())
        except TokenInvalid:
            continue
    return found


def test_several_tokens_belong_to_whom_each_of_them_belongs(session):
    scopes = ("events:read", "tickets:read")
    tokens = [key(session, "department", WATER, *scopes), key(session, "department", WATER)]
    for person in people(session):
        tokens += [opened(session, person), opened(session, person, CODE)]
        tokens += [opened(session, person, hours=-1), key(session, "person", str(person), *scopes)]
    unknown = ["lls_unknown", "llk_unknown", "nothing of the kind", ""]
    session.flush()

    found = identify_several(session, [*tokens, *unknown], clock.now())

    assert found == one_by_one(session, [*tokens, *unknown])
    assert len(found) == len(tokens) - 6, "all but the sessions that have run out"


def test_no_token_belongs_to_nobody(session):
    assert identify_several(session, [], clock.now()) == {}
