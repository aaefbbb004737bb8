"""The page that shows what came."""

from html import unescape

from sandbox_calls import ACCOUNT, DIGEST, TOKEN, event, send


def test_an_empty_sandbox_tells_how_to_use_it(start):
    client = start()
    page = client.get("/")
    text = unescape(page.text)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"PINYON_PINTEREST_BASE_URL={client.base_url}/v5".replace("//v5", "/v5") in text
    assert f"conversion_token: {TOKEN}" in text
    assert f"ad_accounts/{ACCOUNT}/events" in text
    assert '"event_time": \'"$(date +%s)"\'' in text


def test_other_tokens_are_not_told(start):
    text = start(tokens={"pina_private": frozenset({"77"})}).get("/").text
    assert "YOUR_TOKEN" in text
    assert "pina_private" not in text


def test_totals_faults_requests_and_events_are_shown(start):
    client = start(faults="latency_ms=1")
    send(client, event("a", custom_data={"value": "72.39", "currency": "EUR"}), event("b", event_time=1))
    send(client, event("c", category_name="x"))
    text = unescape(client.get("/").text)
    for words in (
        "faults: latency_ms=1",
        "checkout",
        "72.39 EUR",
        "Given timestamp is in the past",
        "('category_name' was unexpected) at data[0]",
        '<span class="pill bad">400</span>',
        "2 not answered 200",
    ):
        assert words in text
    assert "Nothing has arrived yet" not in text


def test_digests_are_shortened(start):
    client = start()
    send(client, event("a", user_data={"em": [DIGEST], "ph": [DIGEST]}))
    overview, detail = client.get("/").text, client.get("/events/1").text
    assert "em 973dfe…" in overview
    assert "973dfe…" in detail
    assert DIGEST[:12] not in overview + detail


def test_what_callers_write_is_escaped(start):
    client = start()
    evil = "<script>alert(1)</script>"
    user = {"client_ip_address": evil, "client_user_agent": evil, evil: evil}
    send(client, event(evil, event_name=evil, user_data=user, custom_data={"value": evil, "currency": evil}))
    for path in ("/", "/events/1"):
        page = client.get(path, headers={"host": f"{evil}"})
        assert page.status_code == 200
        assert "<script" not in page.text


def test_nothing_but_its_own_style_and_image_may_be_loaded(start):
    client = start()
    policy = client.get("/").headers["content-security-policy"]
    assert policy.split("; ")[:3] == ["default-src 'none'", "style-src 'self'", "img-src 'self'"]
    assert "style=" not in client.get("/").text
    for path, kind in (("/sandbox.css", "text/css; charset=utf-8"), ("/icon.svg", "image/svg+xml")):
        assert client.get(path).headers["content-type"] == kind


def test_the_page_refreshes_itself_unless_paused(start):
    client = start()
    assert '<meta http-equiv="refresh" content="2">' in client.get("/").text
    assert "refresh" not in client.get("/?live=0").text


def test_an_event_that_is_not_kept_is_not_found(start):
    client = start(keep=1)
    send(client, event("a"), event("b"))
    assert [client.get(f"/events/{position}").status_code for position in (1, 2, 3)] == [404, 200, 404]
