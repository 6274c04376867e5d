"""The look of the sandbox's web pages: one skeleton, one style sheet. Used inside the sandbox only.

Templates are rendered by Flask's `render_template_string`, which escapes what is put in.
"""

from typing import Any

from flask import render_template_string

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f8fa;--text:#1f2328;--soft:#59636e;--line:#d1d9e0;--link:#0969da;
--ok:#1a7f37;--bad:#d1242f;--wait:#9a6700}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--panel:#151b23;--text:#f0f6fc;--soft:#9198a1;--line:#3d444d;
--link:#4493f8;--ok:#3fb950;--bad:#f85149;--wait:#d29922}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header{background:var(--panel);border-bottom:1px solid var(--line);padding:.7rem 1rem}
header a{color:var(--text);font-weight:600}header small{color:var(--soft);margin-left:.6rem}
main{max-width:62rem;margin:0 auto;padding:1rem}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:1.5rem;line-height:1.25;margin:.4rem 0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:1.6rem 0 .6rem}
.soft{color:var(--soft)}.text{white-space:pre-line}
.list{border:1px solid var(--line);border-radius:.5rem;list-style:none;margin:0;
padding:0;overflow:hidden}
.list>li{padding:.65rem .9rem;border-top:1px solid var(--line);display:flex;gap:.7rem;align-items:flex-start}
.list>li:first-child{border-top:0}.grow{flex:1;min-width:0;overflow-wrap:anywhere}
.icon{width:1.2rem;text-align:center;font-weight:700}
.success,.passed,.succeeded{color:var(--ok)}.failure,.failed,.error,.timed_out{color:var(--bad)}
.queued,.in_progress,.pending,.running,.action_required,.new,.waiting,.importing{color:var(--wait)}
.neutral,.skipped,.cancelled,.canceled,.stale{color:var(--soft)}
.pill{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;font-size:.85rem}
.card{border:1px solid var(--line);border-radius:.5rem;margin:.8rem 0;overflow:hidden}
.card>.top{background:var(--panel);border-bottom:1px solid var(--line);padding:.4rem .9rem;color:var(--soft)}
pre{margin:0;padding:.8rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}@media(max-width:40rem){main{padding:.7rem}.list>li{flex-wrap:wrap}}
"""

SKELETON = (
    """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">{% if refresh %}
<meta http-equiv="refresh" content="{{ refresh }}">{% endif %}<title>{{ title }}</title>
<style>{{ style|safe }}</style></head><body><header><a href="/">{{ service }}</a><small>sandbox</small></header>
<main>"""
    "{body}"
    """</main></body></html>"""
)


def show(service: str, title: str, body: str, **values: Any) -> str:
    """The page of `service` named `title`; `body` is a template that sees `values`.

    A value `refresh` makes browsers load the page again after that many seconds.
    """
    template = SKELETON.replace("{body}", body)
    return render_template_string(template, service=service, title=title, style=STYLE, **values)
