"""The masked task: what is masked, its loss by hand, what it learns of a known law, and what is saved."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

from text_worlds import reviews, sentences, steps  # noqa: E402

from presheaf.enriched.ideality import ideality  # noqa: E402
from presheaf.errors import InputError  # noqa: E402
from presheaf.models import load_model  # noqa: E402
from presheaf.models.contract import check_model_source  # noqa: E402
from presheaf.pretext.contract import check_pretext  # noqa: E402
from presheaf.pretext.data import make_data  # noqa: E402
from presheaf.pretext.masked_text import MaskedText, corrupted, masked_nats, padded  # noqa: E402
from presheaf.pretext.masked_words import MASK, frequent_words, whole_words  # noqa: E402
from presheaf.pretext.plan import Plan  # noqa: E402
from presheaf.pretext.text_vocabulary import MASKED, vocabulary_of  # noqa: E402
from presheaf.pretext.trainer import load_run, train  # noqa: E402

TASK = MaskedText(vocabulary=400, window=16, dim=16, layers=1, heads=2)


def new(task: MaskedText, data, seed: int = 0):
    torch.manual_seed(seed)
    return task.network(data)


def by_hand(network, tokens: list[int], at: int, word: int) -> float:
    """-ln p(word at a place | the other tokens) by the whole model on one text without padding."""
    with torch.no_grad():
        logits = network.model(torch.tensor([tokens])).logits[0, at].double()
    return -logits.log_softmax(0)[word].item()


def test_it_keeps_the_contract() -> None:
    check_pretext(TASK, reviews())


def test_fifteen_per_cent_are_predicted_and_replaced_as_stated() -> None:
    torch.manual_seed(0)
    lengths = torch.randint(1, 60, (2000,)).tolist()
    ids = padded([tuple(torch.randint(4, 400, (length,)).tolist()) for length in lengths])
    inputs, chosen = corrupted(ids, 400)
    assert chosen.sum(dim=1).tolist() == [max(1, round(0.15 * length)) for length in lengths]
    assert (ids[chosen] >= len(MASKED)).all()
    assert torch.equal(inputs[~chosen], ids[~chosen])
    masked = (inputs[chosen] == MASK).double().mean()
    kept = (inputs[chosen] == ids[chosen]).double().mean()
    # Standard errors are below 0.005 for the thousands of places chosen; a random token is the same one in 1 of 396.
    assert masked == pytest.approx(0.8, abs=0.02)
    assert kept == pytest.approx(0.1 + 0.1 / 396, abs=0.015)
    assert (inputs[chosen][inputs[chosen] != MASK] >= len(MASKED)).all()
    places = torch.nonzero(chosen[[i for i, length in enumerate(lengths) if length == 30]])[:, 1]
    assert set(range(1, 31)) == set(places.tolist())


def test_the_loss_is_a_plain_loop() -> None:
    data = reviews()
    network = new(TASK, data).eval()
    rows = torch.tensor([i for i, text in enumerate(data.train) if len(network.vocabulary.encode([text])[0]) <= 14][:5])
    assert len(rows) == 5
    torch.manual_seed(4)
    loss = TASK.loss(network, data, rows).item()
    torch.manual_seed(4)
    ids = padded(network.vocabulary.encode([data.train[i] for i in rows.tolist()]))
    inputs, chosen = corrupted(ids, len(network.vocabulary))
    nats = []
    for row, true, places in zip(inputs.tolist(), ids.tolist(), chosen.tolist(), strict=True):
        length = true.index(2) + 1
        nats += [by_hand(network, row[:length], at, true[at]) for at in range(length) if places[at]]
    assert loss == pytest.approx(np.mean(nats), abs=1e-5)


def test_padding_does_not_change_the_loss() -> None:
    network = new(TASK, reviews())
    ids = padded([(5, 6, 7), (8, 9)])
    inputs, chosen = corrupted(ids, 400)
    pad = torch.nn.functional.pad
    short = masked_nats(network, inputs, ids, chosen)
    long = masked_nats(network, pad(inputs, (0, 7)), pad(ids, (0, 7)), pad(chosen, (0, 7)))
    torch.testing.assert_close(short, long)


def test_of_a_long_text_every_piece_is_seen() -> None:
    network = new(TASK, reviews())
    words = [f"w{i}" for i in range(40)]
    data = make_data("long", "text", (" ".join(words), "b"), ("c",))
    seen: set[int] = set()

    class Watched:
        vocabulary, window, device = network.vocabulary, network.window, network.device

        class model:
            cls = network.model.cls

            @staticmethod
            def bert(ids, attention_mask):
                assert ids.shape == (1, 16)
                seen.update(ids.flatten().tolist())
                return network.model.bert(ids, attention_mask=attention_mask)

    for seed in range(60):
        torch.manual_seed(seed)
        TASK.loss(Watched, data, torch.tensor([0]))
    assert set(network.vocabulary.encode([data.train[0]])[0]) <= seen


def test_the_hom_is_the_network_s_own_probability() -> None:
    data = reviews()
    network = new(TASK, data).eval()
    held = TASK.held_out(data, 40, 0)
    hom = TASK.model_hom(TASK.embed(network, held.objects))
    distances = hom.distances(None, None, np.float64)
    for i, x in enumerate(held.objects):
        for j, y in enumerate(held.objects):
            if y[:-1] == x:
                assert distances[i, j] == pytest.approx(by_hand(network, list(x), x.index(MASK), y[-1]), abs=1e-4)
            else:
                assert distances[i, j] == (0 if i == j else np.inf)


def test_held_out_sentences_have_one_frequent_word_masked_and_the_hom_says_which() -> None:
    data = reviews()
    words = vocabulary_of(data, 400, MASKED)
    candidates = frequent_words(words, data.train, 200)
    held = TASK.held_out(data, 200, 0)
    values = held.hom.quantale.values(held.hom.distances(None, None, np.float64))
    starts = {(1, *tokens[:14], 2) for tokens in words.encode(data.test)}
    sentences_seen = [i for i, x in enumerate(held.objects) if x[-1] == 2]
    assert len(sentences_seen) * (1 + len(candidates)) == len(held.objects)
    for i in sentences_seen:
        x = held.objects[i]
        assert x.count(MASK) == 1
        followers = {held.objects[j][-1]: values[i, j] for j in range(len(values)) if held.objects[j][:-1] == x}
        assert set(followers) == set(candidates)
        for word, value in followers.items():
            completed = tuple(word if token == MASK else token for token in x)
            assert (value > 0) == (completed in starts)
        assert sum(followers.values()) == pytest.approx(1)
    assert words.decode(candidates[:1]) == " the"


def test_two_texts_that_differ_in_the_masked_word_share_it() -> None:
    test = tuple(f"{start} sat by the sea" for start in ["the cat", "the dog"])
    data = make_data("pairs", "text", ("cat dog cat dog", "cat dog"), test)
    task = MaskedText(vocabulary=300, window=16, dim=16, layers=1, heads=2)
    for seed in range(30):
        held = task.held_out(data, 12, seed)
        values = held.hom.quantale.values(held.hom.distances(None, None, np.float64))
        off = values[~np.eye(len(values), dtype=bool)]
        if 0.5 in off:
            assert sorted(off[off > 0].tolist()) == [0.5, 0.5]
            break
    else:
        pytest.fail("no seed masked the animal of both texts")


def test_whole_words_have_a_space_before_and_no_letter_behind() -> None:
    words = vocabulary_of(sentences(), 300, MASKED)
    (tokens,) = words.encode(["the thecat the, 9 the"])
    text = [words.decode([token]) for token in tokens]
    whole = [piece for piece, is_whole in zip(text, whole_words(words, tokens), strict=True) if is_whole]
    assert whole == [" the", " the", " the"]
    assert text.count(" the") == 4
    assert whole_words(words, []).tolist() == []


def test_an_untrained_network_knows_nothing_and_a_trained_one_learns_the_law() -> None:
    data = sentences()
    task = MaskedText(vocabulary=300, window=16, dim=32, layers=2, heads=2)
    network = new(task, data)
    untrained = task.score(network, data.test)
    assert untrained.per_token.value == pytest.approx(log(len(network.vocabulary)), abs=0.1)
    held = task.held_out(data, 150, 0)
    before = ideality(task.model_hom(task.embed(network, held.objects)), held.hom, "covariant", held.normalise)
    steps(task, network, data, 200, batch=16, rate=1e-2)
    after = ideality(task.model_hom(task.embed(network, held.objects)), held.hom, "covariant", held.normalise)
    assert after.value.high < before.value.low
    assert after.value.high < after.null.min()
    trained = task.score(network, data.test)
    tokens = np.concatenate([np.array(one) for one in network.vocabulary.encode(data.test)])
    shares = np.unique(tokens, return_counts=True)[1] / len(tokens)
    assert trained.per_token.high < -(shares * np.log(shares)).sum()


def test_the_score_counts_what_is_predicted() -> None:
    data = sentences()
    network = new(TASK, data)
    found = TASK.score(network, [*data.test[:20], ""], seed=3)
    lengths = [min(14, len(tokens)) for tokens in network.vocabulary.encode(data.test[:20])]
    assert found.tokens == sum(max(1, round(0.15 * length)) for length in lengths)
    assert found.texts == 21
    assert 0 < found.characters <= sum(map(len, data.test[:20])) + 20
    before = torch.random.get_rng_state()
    assert TASK.score(network, [*data.test[:20], ""], seed=3) == found
    assert torch.equal(before, torch.random.get_rng_state())
    assert TASK.score(network, data.test[:20], seed=4) != found


def test_it_is_saved_as_an_encoder(tmp_path: Path) -> None:
    data = reviews()
    network = new(TASK, data)
    model = load_model(TASK.save(network, data, tmp_path / "model"))
    check_model_source(model, list(data.test[:12]))
    text = "it works"
    ids = padded(network.vocabulary.encode([text]))
    with torch.no_grad():
        hidden = network.model.bert(ids).last_hidden_state[0].mean(0).numpy()
    np.testing.assert_allclose(model.encode([text])[0], hidden, atol=1e-5)


def test_a_run_goes_on_and_is_looked_back_at(tmp_path: Path) -> None:
    data = sentences()
    plan = {"batch_size": 8, "checkpoint_every": 2, "warmup": 1}
    whole = train(TASK, data, tmp_path / "whole", Plan(steps=4, **plan))

    class Stop(Exception):
        pass

    def stop(step: int, *_: object) -> None:
        if step == 2:
            raise Stop

    with pytest.raises(Stop):
        train(TASK, data, tmp_path / "parts", Plan(steps=4, **plan), on_checkpoint=stop)
    parts = train(TASK, data, tmp_path / "parts", Plan(steps=4, **plan))
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, parts.network.state_dict()[name]), name
    _, network = load_run(tmp_path / "parts", 2, data)
    assert network.vocabulary.json == whole.network.vocabulary.json


def test_short_and_empty_texts_have_a_loss_with_a_gradient() -> None:
    data = make_data("short", "text", ("ab ab", "", "b"), ("cd",))
    network = new(TASK, data)
    for rows in ([1], [2], [1, 2], [0, 1, 2]):
        network.zero_grad()
        loss = TASK.loss(network, data, torch.tensor(rows))
        loss.backward()
        assert torch.isfinite(loss)
        assert all(weight.grad is not None for weight in network.parameters())
    with pytest.raises(InputError, match="nothing to predict"):
        TASK.score(network, [""])


def test_texts_without_words_to_complete_are_refused() -> None:
    with pytest.raises(InputError, match="tokens that are whole words"):
        TASK.held_out(make_data("digits", "text", ("12 12", "13"), ("12",)), 50, 0)
    with pytest.raises(InputError, match="holds one of the words"):
        TASK.held_out(make_data("other", "text", ("the cat the cat", "the cat"), ("12",)), 50, 0)


@pytest.mark.parametrize("wrong", [(1, 2), (1, 3, 3, 2), (5, 3, 2), (1, 3, 2, 10_000), (), (1, *(5,) * 20, 3, 2)])
def test_objects_that_are_no_masked_texts_are_refused(wrong: tuple[int, ...]) -> None:
    network = new(TASK, sentences())
    with pytest.raises(InputError, match=r"one \[MASK\]"):
        TASK.embed(network, [wrong])
