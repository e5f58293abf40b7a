"""What an import has found at fault, in the words of whoever reads it."""

from collections.abc import Mapping

from services.gateway.problem_texts import PROBLEMS

# By code: Chinese, English.
FAULTS: Mapping[str, tuple[str, str]] = {
    # Of the file.
    "not_a_spreadsheet": (
        "文件既不是 CSV，也不是 XLSX，或已损坏。",
        "Neither CSV nor XLSX, or damaged.",
    ),
    "unknown_encoding": (
        "CSV 文件须为 UTF-8 或 GB18030 编码。",
        "A CSV file must be in UTF-8 or GB18030.",
    ),
    "broken_csv": (
        "CSV 有误：引号没有成对，或一行过长。",
        "Broken CSV: a quotation mark is not closed, or a row is too long.",
    ),
    "no_rows": ("文件中没有数据行。", "There are no rows of data."),
    "too_many_rows": ("行数超过 50000。", "There are more than 50,000 rows."),
    "too_many_columns": ("列数超过 50。", "There are more than 50 columns."),
    "too_large_unpacked": ("文件解压后过大。", "The file is too large when unpacked."),
    "missing_column": ("缺少这一列。", "This column is missing."),
    "unknown_column": ("没有这样的列。", "There is no such column."),
    "duplicate_column": ("这一列出现了两次。", "This column is there twice."),
    "expired": ("一天之内未能完成。", "It did not come to an end within a day."),
    "internal": ("系统出错，未能完成。", "Our mistake: it could not be finished."),
    # Of a row.
    "required": ("此项必填。", "This must be given."),
    "invalid_value": ("此项的内容不正确。", "This is not valid."),
    "formula": ("此项不能是公式。", "This cannot be a formula."),
    "digits_lost": (
        "数字过长，已被表格软件舍入；请将该列设为文本后重新填写。",
        "The spreadsheet has rounded this long number: make the column text and write it anew.",
    ),
    "too_long": ("内容过长。", "This is too long."),
    "repeated_row": ("前面已有一行与此相同。", "A row above has the same."),
    "unknown_parent": (
        "上一级区域尚未建立，也不在前面的行中。",
        "The area right above is not in the tree, nor in a row above.",
    ),
    "unknown_area": ("没有这一区域。", "There is no such area."),
    "unknown_household": (
        "此处没有登记住户；请先导入户。",
        "No household is registered at this door: import households first.",
    ),
    "before_start": ("最后一天早于第一天。", "The last day lies before the first."),
    "area_too_wide": (
        "请填写社区或社区内的地点。",
        "Give a community, or a place in one.",
    ),
    "no_grid": ("请填写到网格：此处已划分网格。", "Say in which grid it lies: there are some."),
    "no_building": ("请填写到楼栋：此处有楼栋。", "Say in which building it lies: there are some."),
    "in_the_future": ("日期不能在将来。", "This day is still to come."),
    "null": ("此项不能为空。", "This cannot be empty."),
}

_PHONE = ("不是有效的电话号码。", "This is not a valid phone number.")
_ID_NUMBER = (
    "不是有效的居民身份证号，请核对 18 位。",
    "This is not a valid resident ID number of 18 characters.",
)
# Of an invalid value, by column: what it should be.
VALUES: Mapping[str, tuple[str, str]] = {
    "phone": _PHONE,
    "head_phone": _PHONE,
    "id_number": _ID_NUMBER,
    "head_id_number": _ID_NUMBER,
    "from": (
        "不是有效的日期，请按 2026-11-01 的写法。",
        "This is not a date such as 2026-11-01.",
    ),
    "tenure": (
        "请填写自有、租住、公房、集体或其他。",
        "Say owned, rented, public, collective or other.",
    ),
}


def message(code: str, locale: str, column: str | None = None) -> str:
    """The sentence for a fault's code, in a column if it is of one."""
    of_column = VALUES.get(column or "") if code == "invalid_value" else None
    sentence = of_column or FAULTS.get(code)
    if sentence is not None:
        return sentence[0 if locale == "zh-CN" else 1]
    texts = PROBLEMS.get(code) or PROBLEMS["invalid"]
    return texts.get(locale, texts["en"]).detail
