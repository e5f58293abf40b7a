"""What problems say to their reader."""

import pytest

from services.gateway.problem_texts import PROBLEMS
from services.gateway.texts import FIELDS, TEXTS


@pytest.mark.parametrize("code", PROBLEMS)
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_problem_has_a_title_and_a_detail_in_both_languages(code, locale):
    title, detail = TEXTS.problem(code, locale, {})

    assert title
    assert detail
    assert "{" not in detail


def test_parameters_are_told_in_words():
    params = {"from": "filed", "move": "work"}

    assert TEXTS.problem("illegal_move", "zh-CN", params)[1] == (
        "工单处于“已登记”状态，不能进行“开始办理”。"
    )
    assert "filed" in TEXTS.problem("illegal_move", "en", params)[1]


def test_an_unknown_problem_keeps_its_own_words():
    assert TEXTS.problem("never_heard_of", "en", {}) is None


def test_a_field_is_explained_in_chinese_and_left_in_english():
    assert TEXTS.field("required", "zh-CN", "Missing.") == FIELDS["required"]
    assert TEXTS.field("required", "en", "Missing.") is None


def test_a_value_that_is_wrong_is_told_by_what_it_should_be():
    said = TEXTS.field("invalid_value", "zh-CN", "Not a valid phone number.")
    assert said == "不是有效的电话号码。"
    assert TEXTS.field("invalid_value", "zh-CN", "Must be one of: a.") == FIELDS["invalid_value"]
