"""The hints of all error messages: the name that was probably meant, in one wording."""

from mlptune._text import closest, counted, hint, joined, listed, nearest, suggestion


def test_nouns_are_counted():
    assert [counted(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]


def test_the_closest_name_is_found_whatever_its_case():
    assert closest("Epoch", ["epochs", "l2"]) == "epochs"
    assert closest("TPE", ["random", "tpe"]) == "tpe"
    assert closest("medianpruner", ["MedianPruner"]) == "MedianPruner"
    assert closest("zzz", ["epochs"]) is None
    assert closest("epoch", ["epochs"], cutoff=0.95) is None
    assert closest(3, ["4"]) is None
    assert closest("x" * 10**7, ["x"]) is None


def test_a_hint_suggests_one_name_or_lists_the_known_ones():
    assert nearest("epoch", ["epochs", "l2"]) == hint("epoch", ["epochs", "l2"]) == "; did you mean 'epochs'?"
    assert nearest("zzz", ["epochs", "l2"]) == ""
    assert hint("zzz", ["l2", "epochs", "l2"]) == "; known: epochs, l2"
    assert hint("zzz", []) == ""
    assert suggestion("a", None, "b") == "; did you mean 'a' or 'b'?"
    assert suggestion(None) == ""


def test_words_are_joined_as_in_a_sentence():
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_a_long_list_says_how_much_of_it_is_left_out():
    assert [listed("abcd", most) for most in (2, 3, 4, 5)] == [
        "a, b and 2 more",
        "a, b, c and 1 more",
        "a, b, c, d",
        "a, b, c, d",
    ]
    assert listed([]) == ""
