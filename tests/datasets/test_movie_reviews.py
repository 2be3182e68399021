import numpy as np
import pytest

from fjax.datasets.movie_reviews import load_data


@pytest.fixture
def reviews(folders):
    def save(content):
        (folders[0] / "movie_reviews.tsv").write_bytes(content)

    return save


def test_split(reviews):
    reviews(b"".join(b"%d\ttext %d\n" % (i % 2, i) for i in range(100)))
    (x_train, y_train), (x_test, y_test) = load_data()
    assert x_train.shape == y_train.shape == (80,) and x_test.shape == y_test.shape == (20,)
    assert y_train.dtype == "int64"
    texts, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert sorted(texts) == sorted(f"text {i}" for i in range(100))
    assert all(int(text.split()[1]) % 2 == label for text, label in zip(texts, labels, strict=True))


def test_split_depends_on_arguments(reviews):
    reviews(b"".join(b"%d\ttext %d\n" % (i % 2, i) for i in range(100)))
    assert (load_data(seed=1)[0][0] == load_data(seed=1)[0][0]).all()
    assert (load_data(seed=1)[0][0] != load_data(seed=2)[0][0]).any()
    assert len(load_data(test_split=0.5)[1][0]) == 50
    with pytest.raises(ValueError, match=r"`movie_reviews.load_data`: `test_split`"):
        load_data(test_split=2)


def test_texts_with_special_characters(reviews):
    texts = ["", "tab\there", "a\x85b\u2028c\rd", "naïve"]
    reviews("\n".join(f"1\t{text}" for text in texts).encode())
    (x_train, _), _ = load_data(test_split=0.0)
    assert sorted(x_train) == sorted(texts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, is not the expected text: it begins with ''"),
        (b"1\tgood\n2\tbetter\n", r"line 2, .* '2\\tbetter'"),
        (b"1\tgood\n0\n", "line 2"),
        (b"1\tgood\n\n0\tbad\n", "line 2"),
        (b"1\t\xff\n", "utf-8"),
    ],
)
def test_other_files(reviews, content, message):
    reviews(content)
    with pytest.raises(ValueError, match=message):
        load_data()


def test_missing_file(folders):
    with pytest.raises(FileNotFoundError, match="one review per line"):
        load_data()


def test_real_file(shared):
    (x_train, y_train), (x_test, y_test) = load_data()
    assert len(x_train) == 8_548 and len(x_test) == 2_137
    assert y_train.sum() + y_test.sum() == 5_344
    assert (np.char.str_len(np.concatenate([x_train, x_test])) == 0).sum() == 7
