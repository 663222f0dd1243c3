"""Names in texts come out whole, several persons apart."""

import pytest

from processing.article.metadata.people.names import names_in, names_of_person


@pytest.mark.parametrize(
    "name",
    [
        "Di Wu", "Von Tran", "Par Lund", "En Lai", "Af Berg", "Wu En Lai", "Anna With", "Marian Guest", "Bill Press", "Bo Read",
        "Ana Media", "By Design",
                "José Ortega y Gasset", "Maria do Carmo e Silva", "Prince", "Jean-Luc de la Fontaine",
        "50 Cent", "X Æ A-12", "blink-182", "Maroon 5", "P!nk", "Simon & Garfunkel", "Anna & Karl Berg",
        "Martin Luther King, Jr.", "D. C. Minute", "Otto von und zu Tal",
    ],
)  # fmt: skip
def test_the_name_of_a_structured_person_is_whole(name: str) -> None:
    assert names_of_person(name) == [name]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("By Ann Lee", ["Ann Lee"]),
        ("Smith, Jane", ["Jane Smith"]),
        ("García Márquez, Gabriel", ["Gabriel García Márquez"]),
        ("Ortega y Gasset, José", ["José Ortega y Gasset"]),
        ("Silva Santos, João da", ["João da Silva Santos"]),
        ("Saint-Exupéry, Antoine de", ["Antoine de Saint-Exupéry"]),
        ("Gonzalez-Lopez, Maria del Carmen", ["Maria del Carmen Gonzalez-Lopez"]),
        ("al-Assad, Bashar", ["Bashar al-Assad"]),
        ("Smith, John, Jr.", ["John Smith Jr."]),
        ("Smith Jr., John", ["John Smith Jr."]),
        ("Tan, Amy, PhD", ["Amy Tan"]),
        ("Lee, Ann, Bell, Tom", ["Ann Lee", "Tom Bell"]),
        ("Ann Lee, Berlin", ["Ann Lee"]),
        ("van der Berg, Anna", ["Anna van der Berg"]),
        ("Smith, Jane Ann", ["Jane Ann Smith"]),
        ("Anna, Karl", ["Anna", "Karl"]),
        ("Maria, Thomas", ["Maria", "Thomas"]),
        ("Ahmed, Sara", ["Sara Ahmed"]),  # first names of others, or surnames of many
        ("Simone, Nina", ["Nina Simone"]),
        ("John, Elton", ["Elton John"]),
        ("Maria, Mother of Two", ["Maria"]),
        ("Jane Doe & Madonna", ["Jane Doe", "Madonna"]),
        ("Jane Doe & Reuters", ["Jane Doe"]),
        ("12 March", []),
        ("12. März", []),
        ("Thomas, Dylan", ["Dylan Thomas"]),
        ("Ann Lee and Tom Bell", ["Ann Lee", "Tom Bell"]),
        ("Ann Lee, Tom Bell, and Bo Li", ["Ann Lee", "Tom Bell", "Bo Li"]),
        ("Ann Lee, MD", ["Ann Lee"]),
        ("Smith, J., Doe, A. B.", ["J. Smith", "A. B. Doe"]),
        ("Ó Súilleabháin, Seán", ["Seán Ó Súilleabháin"]),
        ("김철수 기자", ["김철수"]),
    ],
)
def test_what_else_stands_in_the_name_of_a_person(name: str, people: list[str]) -> None:
    assert names_of_person(name) == people


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Di Wu", ["Di Wu"]),
        ("Von Anna Berger", ["Anna Berger"]),
        ("von der Leyen, Ursula", ["Ursula von der Leyen"]),
        ("By, Jane Doe", ["Jane Doe"]),
        ("Autor, Max Otto", ["Max Otto"]),
        ("Tribune de Genève", ["Tribune de Genève"]),
        ("Crónica de Xalapa", ["Crónica de Xalapa"]),
        ("Anna B., Karl O.", ["Anna B.", "Karl O."]),
        ("Ana Ruiz y Luis Gil", ["Ana Ruiz", "Luis Gil"]),
        ("Ana Silva e João Costa", ["Ana Silva", "João Costa"]),
        ("Jan Nowak i Anna Lis", ["Jan Nowak", "Anna Lis"]),
        ("Иван Петров и Анна Лис", ["Иван Петров", "Анна Лис"]),
        ("Ayşe Kaya ve Ali Demir", ["Ayşe Kaya", "Ali Demir"]),
        ("Antoni Puig i Cadafalch", ["Antoni Puig i Cadafalch"]),
        ("山田太郎、鈴木花子", ["山田太郎", "鈴木花子"]),
        ("Smith, Jane; Doe, John", ["Jane Smith", "John Doe"]),
        ("Smith, Jane and Doe, John", ["Jane Smith", "John Doe"]),
        ("Ann Lee, Tom Bell", ["Ann Lee", "Tom Bell"]),
        ("Ann Lee, Reuters", ["Ann Lee"]),
        ("Otto und Söhne", ["Otto und Söhne"]),
        ("Miller & Sons", ["Miller & Sons"]),
        ("Tekst: Kari Nord & Ola Dahl", ["Kari Nord", "Ola Dahl"]),
        ("Ann Lee im Gespräch mit Tom Bell", ["Ann Lee", "Tom Bell"]),
    ],
)
def test_several_people_in_one_text(text: str, people: list[str]) -> None:
    assert names_in(text) == people
