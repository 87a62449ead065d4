"""The few words the engine says by itself, per language: keys, yes and no, a wrong answer, an apology.

Everything else a subscriber reads stands in flows. A language without an entry here is served in English.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.spoken import Words, pieces, press


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language. `press` is the form of a menu line in voice, with `{label}` and `{key}`.

    `no_such` answers a score that is none; `call_back` and `wait` are asked in a long queue, `ordered` is
    said after the first of them; `go_on` and `anew` are asked when a session that broke off is dialled again;
    `moment` is said in a call while a back end is slow.
    """

    more: str
    back: str
    yes: str
    no: str
    yes_words: frozenset[str]
    no_words: frozenset[str]
    wrong: str
    silent: str
    unavailable: str
    press: str
    no_such: str
    call_back: str
    wait: str
    ordered: str
    go_on: str
    anew: str
    moment: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PHRASES = {
    "ru": Phrases(
        more="Ещё",
        back="Назад",
        yes="Да",
        no="Нет",
        yes_words=_words("да д yes y ага конечно"),
        no_words=_words("нет н no n не"),
        wrong="Неверный ввод.",
        silent="Нет ответа. Наберите ещё раз.",
        unavailable="Сервис временно недоступен. Повторите позже.",
        press="{label} — нажмите {key}.",
        no_such="Такого ответа нет.",
        call_back="Перезвонить вам?",
        wait="Ждать",
        ordered="Заявка принята. Мы вам перезвоним.",
        go_on="Продолжить?",
        anew="Сначала",
        moment="Одну минуту.",
    ),
    "en": Phrases(
        more="More",
        back="Back",
        yes="Yes",
        no="No",
        yes_words=_words("yes y yeah ok"),
        no_words=_words("no n nope"),
        wrong="Wrong input.",
        silent="No answer. Please dial again.",
        unavailable="The service is temporarily unavailable. Please try again later.",
        press="{label}: press {key}.",
        no_such="There is no such answer.",
        call_back="Shall we call you back?",
        wait="Wait",
        ordered="Done. We will call you back.",
        go_on="Go on?",
        anew="Start anew",
        moment="One moment, please.",
    ),
    "tg": Phrases(
        more="Боз",
        back="Бозгашт",
        yes="Ҳа",
        no="Не",
        yes_words=_words("ҳа ха бале да yes"),
        no_words=_words("не нест нет no"),
        wrong="Воридкунии нодуруст.",
        silent="Ҷавоб нест. Аз нав рақам гиред.",
        unavailable="Хизмат муваққатан дастнорас аст. Баъдтар такрор кунед.",
        press="{label} — {key}-ро пахш кунед.",
        no_such="Чунин ҷавоб нест.",
        call_back="Ба шумо занг занем?",
        wait="Интизор шудан",
        ordered="Дархост қабул шуд. Мо ба шумо занг мезанем.",
        go_on="Давом диҳем?",
        anew="Аз аввал",
        moment="Як дақиқа.",
    ),
    "uz": Phrases(
        more="Yana",
        back="Orqaga",
        yes="Ha",
        no="Yo'q",
        yes_words=_words("ha да yes"),
        no_words=_words("yo'q yoq yo‘q нет no"),
        wrong="Noto'g'ri kiritildi.",
        silent="Javob yo'q. Qayta tering.",
        unavailable="Xizmat vaqtincha ishlamayapti. Keyinroq urinib ko'ring.",
        press="{label} — {key} ni bosing.",
        no_such="Bunday javob yo'q.",
        call_back="Sizga qo'ng'iroq qilaylikmi?",
        wait="Kutish",
        ordered="Ariza qabul qilindi. Sizga qo'ng'iroq qilamiz.",
        go_on="Davom etamizmi?",
        anew="Boshidan",
        moment="Bir daqiqa.",
    ),
}


def phrases(language: str) -> Phrases:
    """Return the words of a language (`ru`, `tg-TJ`), English ones for a language we do not know."""
    return _PHRASES.get(language) or _PHRASES.get(language.partition("-")[0]) or _PHRASES["en"]


def own_words(language: str) -> tuple[str, ...]:
    """Return what the engine itself may say in a call, each as it is recorded."""
    words = phrases(language)
    alone = (
        words.more,
        words.yes,
        words.no,
        words.wrong,
        words.unavailable,
        words.no_such,
        words.call_back,
        words.wait,
        words.ordered,
        words.go_on,
        words.anew,
        words.moment,
    )
    line = pieces(press(words.press, "", "1"))
    return (*alone, *(piece.text for piece in line if isinstance(piece, Words)))
