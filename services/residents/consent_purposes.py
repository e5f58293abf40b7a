"""What people may consent to, beyond what the community's work needs anyway (PIPL, articles 13 to
16): codes, with what they say to whoever consents.
"""

PURPOSES = {
    "notices": {
        "zh": "向本人发送社区活动和通知",
        "en": "being sent news and invitations of the community",
    },
    "care_visits": {
        "zh": "定期走访和关爱服务",
        "en": "regular visits and care",
    },
    "skills": {
        "zh": "在能人库中向邻里介绍本人的技能",
        "en": "showing one's skills to neighbours in the skill bank",
    },
    "photos": {
        "zh": "在社区宣传中使用活动照片",
        "en": "photos of events in the community's publications",
    },
}
