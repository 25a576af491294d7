"""What a document says, in the languages a legal entity can choose; and how amounts and dates look there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

_COLUMNS = ("en", "et", "pl", "ru")
_TABLE = {
    "invoice": ("Invoice", "Arve", "Faktura", "Счёт"),
    "credit_note": ("Credit note", "Kreeditarve", "Nota uznaniowa", "Кредит-нота"),
    "correction": ("Correction", "Parandus", "Korekta", "Корректировка"),
    "number": ("Number", "Number", "Numer", "Номер"),
    "issued": ("Date of issue", "Väljastatud", "Data wystawienia", "Дата выставления"),
    "settlement": ("Settlement", "Arveldus", "Rozliczenie", "Расчёт"),
    "closed": ("Closed at (UTC)", "Suletud (UTC)", "Zamknięto (UTC)", "Закрыт (UTC)"),
    "tax_due": ("Tax due", "Maks tasuda", "Termin zapłaty podatku", "Срок уплаты налога"),
    "seller": ("Issued by", "Väljastaja", "Wystawca", "Выставил"),
    "buyer": ("For", "Kellele", "Dla", "Кому"),
    "tax_id": ("Tax ID", "KMKR", "NIP / VAT", "ИНН / НДС"),
    "partners": ("Partners", "Partnerid", "Partnerzy", "Партнёры"),
    "corrects": ("Corrects", "Parandab", "Koryguje", "Исправляет"),
    "description": ("Description", "Kirjeldus", "Opis", "Описание"),
    "points": ("Points", "Punkte", "Punkty", "Баллы"),
    "unit": ("Per point", "Punkti kohta", "Za punkt", "За балл"),
    "tax": ("Tax", "Maks", "Podatek", "Налог"),
    "amount": ("Amount", "Summa", "Kwota", "Сумма"),
    "net": ("Net, moved by settlement {}", "Neto, tasaarveldatud arveldusega {}", "Netto, rozliczone w rozliczeniu {}",
            "Нетто, проводится расчётом {}"),
    "tax_total": ("Tax, paid by bank", "Maks, tasuda pangaülekandega", "Podatek, płatny przelewem",
                  "Налог, оплата банком"),
    "total": ("Total", "Kokku", "Razem", "Итого"),
    "category": ("Category", "Kategooria", "Kategoria", "Категория"),
    "rate": ("Rate", "Määr", "Stawka", "Ставка"),
    "base": ("Taxable sum", "Maksustatav summa", "Podstawa", "База"),
    "outside": ("outside the scope of tax", "ei ole käibemaksuga maksustatav", "nie podlega opodatkowaniu",
                "не облагается налогом"),
    "payment": ("Payment", "Tasumine", "Płatność", "Оплата"),
    "how_invoice": (
        ("{buyer} pays the positive amounts. The net moves with the positions of settlement {n} and needs no "
        "transfer of its own; only tax is paid by bank."),
        ("{buyer} tasub positiivsed summad. Neto liigub arvelduse {n} positsioonidega ega vaja eraldi makset; "
        "pangaülekandega tasutakse ainult maks."),
        ("{buyer} płaci kwoty dodatnie. Netto przechodzi w pozycjach rozliczenia {n} i nie wymaga osobnego przelewu; "
        "przelewem płatny jest tylko podatek."),
        ("{buyer} платит положительные суммы. Нетто проводится позициями расчёта {n} и не требует отдельного платежа; "
        "банком оплачивается только налог."),
    ),
    "how_credit_note": (
        ("{buyer} is paid the positive amounts. The net moves with the positions of settlement {n} and needs no transfer "
        "of its own; only tax is paid by bank."),
        ("{buyer} saab positiivsed summad. Neto liigub arvelduse {n} positsioonidega ega vaja eraldi makset; "
        "pangaülekandega tasutakse ainult maks."),
        ("{buyer} otrzymuje kwoty dodatnie. Netto przechodzi w pozycjach rozliczenia {n} i nie wymaga osobnego przelewu; "
        "przelewem płatny jest tylko podatek."),
        ("{buyer} получает положительные суммы. Нетто проводится позициями расчёта {n} и не требует отдельного платежа; "
        "банком оплачивается только налог."),
    ),
    "page": ("Page {} of {}", "Lk {} / {}", "Strona {} z {}", "Стр. {} из {}"),
    "closing": ("Closing", "Sulgemine", "Zamknięcie", "Закрытие"),
    "hash": ("SHA-256 of this document as JSON", "Selle dokumendi JSON-i SHA-256", "SHA-256 tego dokumentu jako JSON",
             "SHA-256 этого документа в JSON"),
    "refund": ("Refund: {}", "Tagastus: {}", "Zwrot: {}", "Возврат: {}"),
    "of_settlement": ("of settlement {}", "arveldusest {}", "z rozliczenia {}", "расчёта {}"),
    "issuance": ("Points issued", "Väljastatud punktid", "Punkty wydane", "Начисленные баллы"),
    "fee": ("Programme fee", "Programmi tasu", "Opłata programu", "Сбор программы"),
    "use": ("Points funded at use", "Kasutamisel rahastatud punktid", "Punkty finansowane przy użyciu",
            "Баллы, оплаченные при использовании"),
    "redemption": ("Points redeemed here", "Siin lunastatud punktid", "Punkty zrealizowane", "Погашенные баллы"),
    "breakage": ("Points expired", "Aegunud punktid", "Punkty wygasłe", "Сгоревшие баллы"),
    "reward": ("Rewards given", "Antud preemiad", "Wydane nagrody", "Выданные награды"),
    "exchange": ("Points exchanged", "Vahetatud punktid", "Punkty wymienione", "Обмен баллов"),
    "exchange_fee": ("Exchange fee", "Vahetustasu", "Opłata za wymianę", "Сбор за обмен"),
    "pack": ("Points bought in advance", "Ettemakstud punktid", "Punkty kupione z góry", "Баллы, купленные вперёд"),
    "prepaid": ("Paid from points bought in advance", "Tasutud ettemakstud punktidest", "Pokryte z punktów kupionych z góry",
                "Покрыто купленными вперёд баллами"),
    "exit_reserve": ("Exit reserve", "Lahkumisreserv", "Rezerwa przy wyjściu", "Резерв при выходе"),
    "dispute": ("Disputed redemption", "Vaidlustatud lunastus", "Realizacja sporna", "Оспоренное погашение"),
    "default": ("Share in a default", "Osa maksejõuetuses", "Udział w niewypłacalności", "Доля в дефолте"),
    "dividend": ("Dividend of an estate", "Pankrotivara väljamakse", "Wypłata z masy upadłości",
                 "Выплата из конкурсной массы"),
    "rounding": ("Rounding", "Ümardus", "Zaokrąglenie", "Округление"),
}  # fmt: skip
WORDS = {language: {name: row[place] for name, row in _TABLE.items()} for place, language in enumerate(_COLUMNS)}
_THIN, _MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
_WHOLE = 1_000_000


def places_of(amounts: Iterable[int]) -> int:
    """The decimals that all of these micro-units need, at least two."""
    return max([2, *(len(f"{abs(micros) % _WHOLE:06}".rstrip("0")) for micros in amounts)])


def grouped(number: int, language: str) -> str:
    """A whole number, thousands apart."""
    return f"{number:,}".replace(",", "," if language == "en" else _THIN).replace("-", _MINUS)


def money(micros: int, language: str, places: int = 2) -> str:
    """Micro-units exactly: as many decimals as asked for, more where there are more."""
    whole, rest = divmod(abs(micros), _WHOLE)
    decimals = f"{rest:06}".rstrip("0").ljust(places, "0")
    sign = _MINUS if micros < 0 else ""
    return f"{sign}{grouped(whole, language)}{'.' if language == 'en' else ','}{decimals}"


def percent(basis_points: int, language: str) -> str:
    """A rate."""
    return money(basis_points * 10_000, language).replace(".00", "").replace(",00", "") + _THIN + "%"


def day(text: str, language: str) -> str:
    """A date of ISO 8601 as it is written in the language."""
    return text if language == "en" else date.fromisoformat(text).strftime("%d.%m.%Y")
