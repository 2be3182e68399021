"""Translations of the docs: they are up to date, and the check finds what is not."""

import pytest

from website import translations
from website.markdown import ROOT

ENGLISH = """# Title

## Part one

See [another page](other.md#part).

```python
x = [1, 2]  # a list
# Print it.
print("#", x)
```

```output
# [1, 2]
```

```bash
# Install it.
pip install fjax  # now
```
"""
KOREAN = """# 제목

## 첫째

[다른 페이지](other.md#part)를 보세요.

```python
# 목록
x = [1, 2]
print("#", x)  # 출력
```

```output
# [1, 2]
```

```bash
pip install fjax  # 지금
```
"""


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", list(translations.translations()), ids=name_of)
def test_translations_are_up_to_date(page):
    assert translations.problems(page) == [], "`python -m website.translations` lists all"


@pytest.fixture
def page(tmp_path):
    """A translation that is up to date."""
    (tmp_path / "page.md").write_text(ENGLISH, "utf-8")
    page = tmp_path / "page.ko.md"
    page.write_text(KOREAN, "utf-8")
    translations.write_digest(page)
    return page


def test_comments_may_differ(page):
    assert translations.problems(page) == []
    digest = translations.digest(page.with_name("page.md"))
    first_line = f"<!-- translated from page.md, sha256 {digest} -->"
    assert page.read_text("utf-8") == f"{first_line}\n{KOREAN}"


def test_a_changed_english_page_is_found_and_the_new_digest_written(page):
    (page.with_name("page.md")).write_text(ENGLISH.replace("another", "the other"), "utf-8")
    assert [sentence.partition(":")[0] for sentence in translations.problems(page)] == [
        "page.md has changed"
    ]
    translations.write_digest(page)
    assert translations.problems(page) == []
    assert page.read_text("utf-8").count("<!--") == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 2]\nprint", "[1, 3]\nprint", "line 8: the block differs"),
        ('"#", x)', '"# ", x)', "line 8: the block differs"),
        ("# [1, 2]", "# [1,  2]", "line 14: the block differs"),
        ("pip install", "pip3 install", "line 18: the block differs"),
        ("```output", "```text", "its fenced blocks have other languages"),
        ("## 첫째", "### 첫째", "its headings have other levels"),
        ("other.md#part", "other.ko.md#part", "its links differ"),
        ("<!-- translated", "<!-- taken", "its first line is not <!-- translated from page.md"),
    ],
)
def test_differences_are_found(page, old, new, message):
    text = page.read_text("utf-8")
    assert old in text
    page.write_text(text.replace(old, new), "utf-8")
    (sentence,) = translations.problems(page)
    assert sentence.startswith(message)


def test_a_translation_of_nothing_is_found(page):
    page.with_name("page.md").unlink()
    assert "there is no page.md" in translations.problems(page)[0]


def test_the_comment_follows_the_front_matter(page):
    front_matter = "---\njupytext:\n  formats: md\n---\n\n"
    page.write_text(front_matter + KOREAN, "utf-8")
    translations.write_digest(page)
    assert translations.problems(page) == []
    assert page.read_text("utf-8").startswith(f"{front_matter}<!-- translated from page.md, ")


def test_other_files_are_refused(page, capsys):
    with pytest.raises(SystemExit):
        translations.main([str(page.with_name("page.md"))])
    assert "is not a translation of a page beside it" in capsys.readouterr().err
