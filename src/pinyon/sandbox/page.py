"""The page at ``/``: what came, how it was answered, which faults are on. Server-made, without script."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from itertools import islice
from string import Template
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pinyon.sandbox.config import DEFAULT_AD_ACCOUNT, DEFAULT_TOKEN
from pinyon.sandbox.record import NO_ANSWER, Call, KeptEvent
from pinyon.sandbox.reply import Refusal
from pinyon.sandbox.schema import CustomData, UserData
from pinyon.sandbox.state import Sandbox

LATEST = 12
MOST_BARS = 12

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "cache-control": "no-store"}
_FILES = files("pinyon.sandbox")
_PAGE = Template(_FILES.joinpath("page.html").read_text())
_DIGEST = re.compile(r"\b([0-9a-f]{6})[0-9a-f]{58}\b")


class ShownEvent(msgspec.Struct):
    """What the table shows of an event."""

    user_data: UserData
    custom_data: CustomData = CustomData()


class Page:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.routes = [
            Route("/", self.overview),
            Route("/events/{position:int}", self.event),
            Route("/sandbox.css", _asset("page.css", "text/css")),
            Route("/icon.svg", _asset("icon.svg", "image/svg+xml")),
        ]

    async def overview(self, request: Request) -> Response:
        """Refreshes itself every two seconds; ``?live=0`` stands still."""
        live = request.query_params.get("live") != "0"
        record = self._sandbox.record
        content = [self._how_to(request)]
        if record.calls:
            content = [
                _cards(record.stats()),
                _bar_section("Unique events by name", record.by_event_name, "No event yet."),
                _bar_section("Answers by status", record.by_status, "No request yet.", tone=_tone),
                _requests_table(islice(reversed(record.calls), LATEST)),
                _events_table(islice(reversed(record.events), LATEST)),
            ]
        faults = self._faults_pill()
        toggle = '<a class="button" href="/?live=0">Pause</a>' if live else '<a class="button" href="/">Resume</a>'
        refresh = '<meta http-equiv="refresh" content="2">' if live else ""
        return _page("Pinyon sandbox", "\n".join(content), nav=faults + toggle, refresh=refresh)

    async def event(self, request: Request) -> Response:
        position = request.path_params["position"]
        kept = next(self._sandbox.record.find(position - 1), None)
        if kept is None or kept.position != position:
            raise Refusal(404, 404, "The sandbox does not keep this event.")
        text = msgspec.json.format(bytes(kept.body), indent=2).decode(errors="replace")
        content = (
            f'<section><h1>{escape(kept.event_name)}</h1><p class="note">received at {_time(kept.received_at)} UTC'
            f" for ad account {escape(kept.ad_account_id)}; digests are shortened</p>"
            f'<pre class="json">{escape(_shorten_digests(text))}</pre></section>'
        )
        return _page(f"{kept.event_name} - Pinyon sandbox", content, nav='<a class="button" href="/">Overview</a>')

    def _faults_pill(self) -> str:
        spec = self._sandbox.faults.spec
        if not spec:
            return '<span class="pill ok">no faults</span>'
        return f'<span class="pill warn">faults: {escape(spec.replace(",", ", "))}</span>'

    def _how_to(self, request: Request) -> str:
        base = f"{request.url.scheme}://{request.url.netloc}/v5"
        known = DEFAULT_AD_ACCOUNT in self._sandbox.tokens.get(DEFAULT_TOKEN, ())
        token, account = (DEFAULT_TOKEN, DEFAULT_AD_ACCOUNT) if known else ("YOUR_TOKEN", "YOUR_AD_ACCOUNT")
        setting = f"PINYON_PINTEREST_BASE_URL={base}"
        destination = f"ad_account_id:    {account}\nconversion_token: {token}"
        return _HOW_TO.substitute(
            setting=escape(setting),
            destination=escape(destination),
            curl=escape(_CURL.substitute(base=base, account=account, token=token)),
        )


_HOW_TO = Template("""<section><h1>Nothing has arrived yet</h1>
<p class="note">Point Pinyon here instead of at Pinterest. Nothing leaves this machine.</p>
<ol class="steps">
<li>Start Pinyon with this setting:<pre>$setting</pre></li>
<li>Give its Pinterest destination these values:<pre>$destination</pre></li>
<li>Send an event through Pinyon, or one from a shell:<pre>$curl</pre></li>
</ol></section>""")

_CURL = Template("""curl $base/ad_accounts/$account/events \\
  -H "Authorization: Bearer $token" -H "Content-Type: application/json" \\
  -d '{"data": [{"event_name": "checkout", "action_source": "web", "event_id": "order-1",
       "event_time": '"$$(date +%s)"', "custom_data": {"currency": "EUR", "value": "72.39"},
       "user_data": {"client_ip_address": "203.0.113.7", "client_user_agent": "curl"}}]}'""")


def _page(title: str, content: str, *, nav: str, refresh: str = "") -> Response:
    page = _PAGE.substitute(title=escape(title), content=content, nav=nav, refresh=refresh)
    return HTMLResponse(page, headers=_HEADERS)


def _asset(name: str, media_type: str) -> Any:
    body = _FILES.joinpath(name).read_bytes()

    async def send(_request: Request) -> Response:
        return Response(body, media_type=media_type, headers={"x-content-type-options": "nosniff"})

    return send


def _cards(stats: Mapping[str, Any]) -> str:
    refused = sum(count for status, count in stats["by_status"].items() if status != "200")
    cards = (
        ("Unique events", stats["unique_events"], "processed, counted once"),
        ("Duplicates", stats["duplicates"], "same event_id and name again"),
        ("Failed events", stats["failed"], "answered failed, one by one"),
        ("Requests", stats["requests"], f"{refused:,} not answered 200"),
    )
    items = (
        f'<div><dt>{name}</dt><dd class="figure">{figure:,}</dd><dd class="note">{note}</dd></div>'
        for name, figure, note in cards
    )
    return f'<dl class="cards">{"".join(items)}</dl>'


def _tone(status: str) -> str:
    if status.startswith("2"):
        return "ok"
    return "warn" if status in {"422", "429"} else "bad"


def _bar_section(title: str, counts: Mapping[str, int], empty: str, tone: Any = lambda _name: "ok") -> str:
    rows = sorted(counts.items(), key=lambda item: -item[1])[:MOST_BARS]
    most = rows[0][1] if rows else 1
    bars = "".join(
        f'<li><b>{escape(_short(name, 24))}</b><svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{tone(name)}" width="{max(1, 100 * count / most):.1f}" height="1"/></svg>'
        f'<span class="number">{count:,}</span></li>'
        for name, count in rows
    )
    return f'<section class="half"><h2>{title}</h2>{_or_empty(f"<ul class=bars>{bars}</ul>", bars, empty)}</section>'


def _requests_table(calls: Iterable[Call]) -> str:
    rows = "".join(
        f'<tr><td class="time">{_time(call.received_at)}</td>'
        f"<td>{_status_pill(call)}</td>"
        f'<td class="number">{_figure(call.events)}</td><td class="number">{_figure(call.failed)}</td>'
        f'<td class="wide">{escape(call.ad_account_id)}</td><td class="number">{call.ms:,.1f}</td></tr>'
        f"{_reason_row(call)}"
        for call in calls
    )
    head = (
        '<th>UTC</th><th>Status</th><th class="number">Events</th><th class="number">Failed</th>'
        '<th class="wide">Ad account</th><th class="number">ms</th>'
    )
    return _table("Latest requests", head, rows, "No request yet.", "half")


def _status_pill(call: Call) -> str:
    status = str(call.status or NO_ANSWER)
    return f'<span class="pill {_tone(status)}">{status}</span>{" test" if call.test else ""}'


def _reason_row(call: Call) -> str:
    # The other refusals say no more than their status.
    if not call.message or call.status not in (400, 422):
        return ""
    return f'<tr class="reason"><td></td><td colspan="5">{escape(call.message)}</td></tr>'


def _events_table(events: Iterable[KeptEvent]) -> str:
    rows = "".join(_event_row(kept) for kept in events)
    head = (
        '<th>UTC</th><th>Event</th><th class="wide">Event id</th><th class="wide">Identity</th>'
        '<th class="number">Value</th>'
    )
    return _table("Latest events", head, rows, "No event yet.", "half")


def _event_row(kept: KeptEvent) -> str:
    event = msgspec.json.decode(kept.body, type=ShownEvent)
    value = " ".join(filter(None, (event.custom_data.value, event.custom_data.currency)))
    return (
        f'<tr><td class="time">{_time(kept.received_at)}</td>'
        f'<td class="name"><a href="/events/{kept.position}">{escape(_short(kept.event_name, 24))}</a></td>'
        f'<td class="wide"><code>{escape(_ends(kept.event_id))}</code></td>'
        f'<td class="wide">{escape(_identity(event.user_data))}</td>'
        f'<td class="number">{escape(_short(value, 16))}</td></tr>'
    )


def _identity(user: UserData) -> str:
    if user.em:
        return f"em {_short(user.em[0], 7)}"
    return f"maid {_short(user.hashed_maids[0], 7)}" if user.hashed_maids else "ip + agent"


def _table(title: str, head: str, rows: str, empty: str, kind: str) -> str:
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<section class="table {kind}"><h2>{title}</h2>{_or_empty(table, rows, empty)}</section>'


def _or_empty(filled: str, content: str, empty: str) -> str:
    return filled if content else f'<p class="empty">{empty}</p>'


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _figure(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _ends(text: str) -> str:
    return text if len(text) <= 13 else f"{text[:6]}…{text[-6:]}"


def _shorten_digests(text: str) -> str:
    return _DIGEST.sub(r"\1…", text)
