"""The care tags there are, with their names. The codes are kept for good; the groups are those that
communities keep lists of (民政部门's 特殊困难群体 and what communities add).
"""

from collections.abc import Mapping

TAGS: Mapping[str, Mapping[str, str]] = {
    "elder_alone": {"zh": "独居老人", "en": "Elder living alone"},
    "elder_empty_nest": {"zh": "空巢老人", "en": "Elder whose children live elsewhere"},
    "elder_needing_care": {"zh": "失能老人", "en": "Elder in need of care"},
    "bereaved_of_only_child": {"zh": "失独家庭", "en": "Bereaved of an only child"},
    "disabled": {"zh": "残疾", "en": "Disabled"},
    "severely_ill": {"zh": "重病患者", "en": "Severely ill"},
    "child_in_difficulty": {"zh": "困境儿童", "en": "Child in difficulty"},
    "child_left_behind": {"zh": "留守儿童", "en": "Child whose parents work elsewhere"},
    "subsistence_allowance": {"zh": "低保对象", "en": "On subsistence allowance"},
    "extreme_poverty": {"zh": "特困人员", "en": "In extreme poverty"},
    "entitled_veteran": {"zh": "优抚对象", "en": "Veteran or next of kin with entitlements"},
}
