"""Names that have broken reports: markup, formulas, scripts that run the other way, signs, length."""

from __future__ import annotations

NAMES = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "مدينة \u202eabc\u202c القاهرة",
    "🏙️👨‍👩‍👧 镇",
    "x" * 200,
    "苏州市吴江区盛泽镇",
    "</title></style><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{ 7 * 7 }}{% raw %}",
    "a\tb",
    "Ünïcödé – ﬃ",
)
