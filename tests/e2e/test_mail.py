"""A resident leaves an e-mail address over HTTP, and the news follows over real SMTP."""

from chassis.testing import eventually

ADDRESS = "liu.yang@mail.example"


def test_a_resident_who_leaves_an_address_is_told_by_mail_in_their_language(stack):
    community = stack.community
    resident = community.resident("13966678931")
    mine = {"email": ADDRESS, "locale": "en"}

    assert resident.request("PATCH", f"residents/{resident.id}", json=mine).ok
    ticket = resident.file(category="water.no_supply")
    staff = community.staff("staff")
    staff.move(ticket, "acceptance")

    def mails():
        return [mail for mail in stack.mails() if mail["to"] == ADDRESS]

    eventually(lambda: len(mails()) == 2, within=20)
    assert [mail["language"] for mail in mails()] == ["en", "en"]
    assert all(ticket["number"] in mail["subject"] for mail in mails())
    assert not [text for text in community.texts("13966678931") if ticket["number"] in text]
    community.close()
