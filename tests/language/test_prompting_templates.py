"""Templates: what reaches the model is what one would write by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.language.exemplars import draw_examples
from presheaf.language.templates import Chat, Template, chat_of, grammar, list_options, parse_template

PIECES = st.text(alphabet="ab .:\n\"'", max_size=12)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@given(PIECES, PIECES, st.text(max_size=20), st.sampled_from(["good", "very bad"]))
@example("", " ", "", "good")
def test_prompt_and_answer_joined_are_the_filled_template(before, middle, text, word):
    written = before + "{text}" + middle + "{label}"
    template = parse_template(written)
    question = template.question(text, [word])
    asked = before + text + middle.rstrip(" ")
    space = " " * (len(middle) - len(middle.rstrip(" ")))
    assert question.prompt + question.answers[0] == (asked or "\n") + space + word  # never an empty prompt
    assert template.written == written
    assert not question.prompt.endswith(" ") or not middle.strip(" ")


def test_the_space_before_the_label_goes_with_the_label():
    question = parse_template("Review: {text}\nSentiment: {label}").question("Fine.", ["good", "bad"])
    assert question.prompt == "Review: Fine.\nSentiment:"
    assert question.answers == (" good", " bad")


def test_a_line_break_stays_in_the_prompt():
    question = parse_template("{text}\n{label}").question("Fine.", ["good"])
    assert (question.prompt, question.answers) == ("Fine.\n", ("good",))


def test_braces_in_a_row_mean_nothing():
    template = parse_template("{text} => {label}")
    assert template.prompt("{label} {text} {x}") == "{label} {text} {x} =>"


@pytest.mark.parametrize(
    "wrong", ["{label}", "{text}", "{label} {text}", "{text} {label}.", "{text} {text} {label}", ""]
)
def test_a_template_that_does_not_end_in_its_label_is_refused(wrong):
    with pytest.raises(InputError, match=r"ends in \{label\}"):
        parse_template(wrong)


def test_examples_are_written_out_and_the_instruction_only_once():
    template = Template("Review: ", "\nLabel:", opening="Classify.\n\n")
    got = template.prompt("C", [("A", "good"), ("B", "bad")])
    assert got == "Classify.\n\nReview: A\nLabel: good\n\nReview: B\nLabel: bad\n\nReview: C\nLabel:"


def test_the_grammar_makes_about_twenty_different_templates_from_the_column_names():
    made = grammar("review", "sentiment", [("negative", "positive"), ("bad", "good")], None)
    written = [template.written for template in made]
    assert 18 <= len(set(written)) == len(written) <= 24
    assert "Review: {text}\nSentiment: {label}" in written
    assert all(w.count("{text}") == 1 and w.endswith("{label}") for w in written)
    assert not any("{" in w.replace("{text}", "").replace("{label}", "") for w in written)
    listing = [w for w in written if "negative or positive" in w]
    assert len(listing) == 4
    assert not any("bad" in w for w in written)


def test_many_classes_are_not_listed():
    words = tuple(f"c{i}" for i in range(31))
    assert not any("c30" in template.written for template in grammar("text", "label", [words], None))


def test_options_are_listed_as_in_a_sentence():
    assert list_options(["a"]) == "a"
    assert list_options(["a", "b", "c"]) == "a, b or c"


def small_tokenizer(chat_template=None, begin=False):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {chr(c): i for i, c in enumerate(range(33, 127))}
    size = len(vocabulary)
    vocabulary |= {"<s>": size, "<|im_start|>": size + 1, "<|im_end|>": size + 2}
    inner = tokenizers.Tokenizer.from_str(
        json.dumps(
            {
                "version": "1.0",
                "added_tokens": [],
                "model": {"type": "BPE", "vocab": vocabulary, "merges": [], "dropout": None, "unk_token": None},
            }
        )
    )
    if begin:
        inner.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", size)])
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>")
    tokenizer.chat_template = chat_template
    return tokenizer


def test_the_chat_form_is_what_the_tokenizer_writes_for_the_conversation():
    tokenizer = small_tokenizer(CHATML)
    chat = chat_of(tokenizer)
    assert chat is not None
    template = grammar("review", "sentiment", [("negative", "positive")], chat)[-1]
    asked = [template.before + text + template.middle.removesuffix(chat.reply) for text in ("A", "B")]
    turns = [
        {"role": "user", "content": asked[0]},
        {"role": "assistant", "content": "negative"},
        {"role": "user", "content": asked[1]},
    ]
    by_tokenizer = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert template.prompt("B", [("A", "negative")]) == by_tokenizer
    assert template.answers(["negative"]) == ("negative",)


def test_a_beginning_token_that_the_tokenizer_adds_is_not_written_twice():
    with_begin = "{{ '<s>' }}" + CHATML
    assert chat_of(small_tokenizer(with_begin, begin=True)).opening == "<|im_start|>user\n"
    assert chat_of(small_tokenizer(with_begin, begin=False)).opening == "<s><|im_start|>user\n"


@pytest.mark.parametrize(
    "broken", [None, "{{ raise_exception('no') }}", "nothing of the turns", "{{ messages[0]['content'] }}"]
)
def test_no_chat_form_where_the_tokenizer_has_none_that_can_be_used(broken):
    assert chat_of(small_tokenizer(broken)) is None


def test_no_chat_form_of_what_is_no_tokenizer():
    assert chat_of(None) is None


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 20), st.integers(0, 5))
def test_every_beginning_of_a_draw_is_balanced(labels, most, seed):
    drawn = draw_examples(labels, 4, most, np.random.default_rng(seed))
    assert len(drawn) == min(most, len(labels)) == len(set(drawn))
    stock = np.bincount(np.array(labels, dtype=int), minlength=4)
    for k in range(len(drawn) + 1):
        counts = np.bincount([labels[i] for i in drawn[:k]], minlength=4)
        for c in range(4):
            if counts[c] < stock[c]:
                assert counts[c] >= counts.max() - 1


def test_a_reply_that_begins_after_a_blank_is_read_back_as_it_is_asked():
    made = grammar("review", "sentiment", [("bad", "good")], Chat("USER: ", " ASSISTANT: ", "\n"))[-1]
    again = parse_template(made.written)
    assert made.middle.endswith(" ASSISTANT:")
    assert again.question("Fine.", ("bad", "good")) == made.question("Fine.", ("bad", "good"))
