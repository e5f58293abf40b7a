"""Phone and ID numbers are found in free text however they are spelt, and nothing else is."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from chassis.screening import Screened, screen


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("我的电话13800131234，请回电", "我的电话138****1234，请回电"),
        ("138-0013-1234", "138****1234"),
        ("１３８００１３１２３４", "138****1234"),
        ("1 3 8 0 0 1 3 1 2 3 4", "138****1234"),
        ("+86 138 0013 1234", "138****1234"),
        ("138\u200b0013\u200b1234", "138****1234"),
        ("138－0013—1234", "138****1234"),
        ("13800131234 13900135678", "138****1234 139****5678"),
        ("2026年11月1日13800131234号", "2026年11月1日138****1234号"),
        ("0561-3012345打不通", "056****2345打不通"),
        ("(010) 62515386", "010****5386"),
        ("+852 2345 6789", "****6789"),
        ("0856-5234567", "085****4567"),
        ("身份证11010519491231002X", "身份证110***********002X"),
        ("身份证 110105 19491231 002x。", "身份证 110***********002X。"),
        ("１１０１０５１９４９１２３１００２Ｘ", "110***********002X"),
        ("13800131234，11010519491231002X", "138****1234，110***********002X"),
    ],
)
def test_a_number_is_masked_however_it_is_spelt(text, kept):
    screened = screen(text)

    assert screened == kept
    assert isinstance(screened, Screened)


@pytest.mark.parametrize(
    "text",
    [
        "三号楼2单元501室从早上8:00起没有水",
        "2026-11-01 08:00 停水，12月1日恢复",
        "工单 20261101-000123",
        "340603008002.e1.g2.b3.u2",
        "拨打12345、110、95598",
        "客服 400-800-8888",
        "账号 6222021234567890123",
        "表号 202611010001",
        "表号 08561235",  # an area code, and too little behind it
        "13800131234567",  # longer than a phone number
        "12800131234",  # no such plan
        "110105194912310021",  # wrong check digit
        "11010519491331002X",  # no such day
    ],
)
def test_other_numbers_stay(text):
    assert screen(text) is text


GAP = st.sampled_from(["", " ", "-", " - ", "．", "－", "\u200d"])


@st.composite
def _spelt(draw, digits):
    """A number as people write it: grouped, in full width or not."""
    width = draw(st.sampled_from([0, 0xFEE0]))
    gaps = draw(st.lists(GAP, min_size=len(digits), max_size=len(digits)))
    return "".join(chr(ord(one) + width) + gap for one, gap in zip(digits, gaps, strict=True))


@st.composite
def _numbers(draw):
    if draw(st.booleans()):
        return draw(st.from_regex(r"13[0-9]{9}", fullmatch=True).filter(str.isascii))
    born = date(1930, 1, 1) + timedelta(days=draw(st.integers(0, 30_000)))
    body = f"340603{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + ric.calc_check_digit(body + "0")


WORDS = st.text(st.characters(categories=["Lo", "Po"]), max_size=20)


@given(data=st.data(), before=WORDS, after=WORDS, number=_numbers())
def test_no_number_is_left_whatever_stands_around_it(data, before, after, number):
    kept = screen(f"{before}{data.draw(_spelt(number))}{after}")

    assert isinstance(kept, Screened)
    digits = re.sub(r"\D", "", kept.translate({0xFF10 + d: str(d) for d in range(10)}))
    assert number.rstrip("X") not in digits
    assert number[-4:] in kept


@given(st.text())
def test_screening_twice_is_screening_once(text):
    once = screen(text)

    assert screen(once) == once


@given(st.text(st.characters(exclude_categories=["Nd"])))
def test_a_text_without_digits_is_not_touched(text):
    assert screen(text) is text
