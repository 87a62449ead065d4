"""The back ends beside billing, over HTTP: marketing, knowledge, network, shop."""

import pytest

from gateway.demo.billing.network import DISTRICTS, district
from gateway.demo.project import PLAYED, addresses

RICH, POOR, UNPAID, NOBODY = "79160000001", "79160000002", "79160000004", "79169999999"

ANSWERS = [
    (
        "GET",
        f"/offers/{RICH}",
        None,
        {"id": "ultra", "name": "Ultra", "minutes": 3000, "gb": 15, "fee": "990.00"},
    ),
    ("POST", "/answer", {"question": "Как узнать баланс?"}, {"answer": "Баланс: наберите *100#."}),
    ("POST", "/answer", {"question": "Где мой ОБЕЩАННЫЙ платёж"}, {"answer": "Обещанный платёж: *100*4*3#."}),
    ("POST", "/answer", {"question": "Спойте песню"}, {"answer": ""}),
    ("POST", "/answer", {"question": ""}, {"answer": ""}),
    ("GET", f"/outages/by-phone/{RICH}", None, {"area": "Центральный", "known": False, "until": None}),
    ("GET", f"/outages/by-phone/{POOR}", None, {"area": "Ленинский", "known": True, "until": "18:00:00"}),
    ("GET", f"/outages/by-phone/{UNPAID}", None, {"area": "Заречный", "known": True, "until": None}),
    ("GET", f"/outages/by-phone/{NOBODY}", None, {"area": "", "known": False, "until": None}),
    (
        "POST",
        "/houses/find",
        {"address": "ул. Ленина, д. 5, кв. 12"},
        {"covered": True, "speed": 500, "fee": "600.00"},
    ),
    ("POST", "/houses/find", {"address": "Мира 40"}, {"covered": True, "speed": 500, "fee": "600.00"}),
    ("POST", "/houses/find", {"address": "Лесная, 7"}, {"covered": False, "speed": None, "fee": None}),
    (
        "GET",
        f"/shops/near/{RICH}",
        None,
        {
            "shops": [
                {"id": "tverskaya", "address": "Тверская 5"},
                {"id": "arbat", "address": "Арбат 10"},
                {"id": "lenina", "address": "Ленина 5"},
            ]
        },
    ),
]

REFUSED = [
    ("GET", f"/offers/{NOBODY}", None, 404, "no_offer"),
    ("GET", "/offers/79160000012", None, 404, "no_offer"),
    ("GET", "/offers/79160000003", None, 404, "no_offer"),
    ("POST", f"/offers/{RICH}/answer", {"offer": "no such", "accepted": True}, 404, "no_offer"),
    ("POST", "/houses/find", {"address": "Ленина 61"}, 404, "no_house"),
    ("POST", "/houses/find", {"address": "Лунная 1"}, 404, "no_house"),
    ("POST", "/houses/find", {"address": "Ленина"}, 404, "no_house"),
    ("POST", "/houses/find", {"address": "9" * 5000}, 404, "no_house"),
    ("GET", "/shops/none/days", None, 404, "no_shop"),
    ("GET", "/visits/v9", None, 404, "no_visit"),
    ("POST", "/answer", {"question": None}, 400, "bad_request"),
]


@pytest.mark.parametrize(("method", "path", "body", "answer"), ANSWERS)
async def test_an_operation_answers(wire, method, path, body, answer):
    assert await wire.call(method, path, body) == (200, answer)


@pytest.mark.parametrize(("method", "path", "body", "status", "error"), REFUSED)
async def test_an_operation_refuses(wire, method, path, body, status, error):
    seen, answer = await wire.call(method, path, body)
    assert (seen, answer["error"]) == (status, error)


async def test_who_has_answered_an_offer_is_left_alone_for_ninety_days(wire):
    for accepted in (False, True):
        status, _ = await wire.call(
            "POST", f"/offers/{RICH}/answer", {"offer": "ultra", "accepted": accepted}
        )
        assert status == 200
    assert (await wire.call("GET", f"/offers/{RICH}"))[0] == 404
    wire.running.desk.clock.advance(91 * 86_400_000)
    assert (await wire.call("GET", f"/offers/{RICH}"))[0] == 200


async def test_an_offer_can_be_accepted_with_change_tariff(wire):
    _, offer = await wire.call("GET", f"/offers/{RICH}")
    body = {"tariff": offer["id"]}
    assert (await wire.call("POST", f"/subscribers/{RICH}/tariff", body, Idempotency_Key="a"))[0] == 200


async def report(wire, phone):
    body = {"area": district(phone), "address": "Ленина 5", "text": "сбой", "phone": phone}
    status, answer = await wire.call("POST", "/reports", body)
    assert status == 200
    return answer["number"]


async def test_three_reports_of_a_district_make_an_outage_and_an_impatient_one_counts_once(wire):
    area = DISTRICTS[3]
    phones = [phone for phone in wire.running.desk.book.subscribers if district(phone) == area][:3]
    first = await report(wire, phones[0])
    assert await report(wire, phones[0]) == first
    assert await report(wire, phones[1]) == first + 1
    _, answer = await wire.call("GET", f"/outages/by-phone/{phones[2]}")
    assert answer == {"area": area, "known": False, "until": None}
    assert await report(wire, phones[2]) == first + 2
    _, answer = await wire.call("GET", f"/outages/by-phone/{phones[0]}")
    assert answer == {"area": area, "known": True, "until": None}
    wire.running.desk.clock.advance(3_600_001)
    _, answer = await wire.call("GET", f"/outages/by-phone/{phones[0]}")
    assert not answer["known"]


async def book(wire, slot, key):
    return await wire.call("POST", "/visits", {"slot": slot, "phone": RICH}, Idempotency_Key=key)


async def test_a_visit_is_booked_once_shown_and_cancelled(wire):
    _, before = await wire.call("GET", "/shops/arbat/days")
    assert [day["day"] for day in before["days"]] == ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]
    slot = before["days"][1]["slots"][2]
    assert slot["start"] == "2026-11-24T14:30:00+03:00"
    status, answer = await book(wire, slot["id"], "a")
    assert status == 200
    assert await book(wire, slot["id"], "a") == (200, answer)
    assert (await book(wire, slot["id"], "b"))[1]["error"] == "taken"
    _, after = await wire.call("GET", "/shops/arbat/days")
    assert slot not in after["days"][1]["slots"]
    path = f"/visits/{answer['visit']}"
    standing = {"state": "booked", "start": slot["start"], "address": "Арбат 10"}
    assert await wire.call("GET", path) == (200, standing)
    assert (await wire.call("POST", f"{path}/cancel", {}, Idempotency_Key="c"))[0] == 200
    assert (await wire.call("GET", path))[1]["state"] == "cancelled"
    assert (await wire.call("POST", f"{path}/cancel", {}, Idempotency_Key="d"))[0] == 409
    assert (await wire.call("GET", "/shops/arbat/days")) == (200, before)


async def test_a_visit_whose_time_has_come_is_done(wire):
    _, free = await wire.call("GET", "/shops/lenina/days")
    _, answer = await book(wire, free["days"][0]["slots"][0]["id"], "a")
    wire.running.desk.clock.advance(2 * 86_400_000)
    _, standing = await wire.call("GET", f"/visits/{answer['visit']}")
    assert standing["state"] == "done"
    status, _ = await wire.call("POST", f"/visits/{answer['visit']}/cancel", {}, Idempotency_Key="c")
    assert status == 409


@pytest.mark.parametrize("slot", ["", "arbat", "arbat-20261122-1000", "arbat-20261128-1000", "../etc"])
async def test_a_time_that_is_no_slot_cannot_be_booked(wire, slot):
    status, answer = await book(wire, slot, "a")
    assert (status, answer["error"]) == (409, "taken")


def test_visits_and_reports_are_still_there_after_a_restart(open_till):
    first = open_till()
    slot = first.read("shop.days", "arbat")["days"][0]["slots"][0]["id"]
    visit = first.read("shop.book", slot=slot, phone=RICH)["visit"]
    number = first.read("network.report", area="Ленинский", address="", text="сбой", phone=RICH)["number"]
    first.read("marketing.answer", RICH, offer="ultra", accepted=False)
    second = open_till()
    assert second.read("shop.visit", visit)["state"] == "booked"
    assert second.read("network.report", area="", address="", text="", phone=RICH)["number"] == number
    assert second.read("marketing.offer", RICH)["status"] == 404
    second.desk.reset()
    assert second.read("marketing.offer", RICH)["status"] == 200
    assert second.read("shop.visit", visit)["status"] == 404


def test_the_demo_answers_for_every_back_end_without_an_address_of_its_own(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "backends.yaml").write_text("own:\n  url: env.OWN_URL\n", encoding="utf-8")
    found = addresses(tmp_path, {"CRM_URL": "http://elsewhere", "SHOP_URL": "http://own"}, "http://demo")
    assert {name: found[name] for name in PLAYED} == {
        **dict.fromkeys(PLAYED, "http://demo"),
        "SHOP_URL": "http://own",
    }
    assert found["OWN_URL"] == "http://demo"
