"""The commands, one function each; every one returns an exit code."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presheaf.cli.agreement import agreed
from presheaf.cli.loading import cache_of, check_rows, load, load_all, prompts_of
from presheaf.cli.output import check_outputs, show, width
from presheaf.cli.progress import Progress
from presheaf.errors import InputError

if TYPE_CHECKING:
    from presheaf.audits.result import Audit, Comparison
    from presheaf.tables.task import Task


def audit(arguments: Namespace) -> int:
    """`presheaf audit`."""
    from presheaf.audits.run import audit as run
    from presheaf.audits.run import check_seed, check_target
    from presheaf.audits.verdict import exit_code

    check_target(arguments.target)
    check_seed(arguments.seed)
    check_outputs(arguments)
    task = _read(arguments)
    if arguments.vectors is None and arguments.model is None:
        raise InputError("no model is named; add --model minilm (see `presheaf models`), or --vectors COLUMN.")
    if arguments.vectors is not None and arguments.model is not None:
        raise InputError("--vectors and --model exclude each other: the column's vectors are the features.")
    model = load(arguments.model, task)
    check_rows(model, task)
    if not agreed([model], task, arguments):
        return 0
    with Progress(arguments.quiet) as progress:
        result = run(
            model, task, target=arguments.target, prompts=prompts_of(arguments, task), seed=arguments.seed,
            cache=cache_of(arguments), progress=progress, on_preview=progress.preview, why=not arguments.no_why,
            **_language(arguments),
        )  # fmt: skip
    show(result, arguments)
    if result.interrupted:
        return 130
    return exit_code(result.verdict)


def compare(arguments: Namespace) -> int:
    """`presheaf compare`."""
    from presheaf.audits.compare import compare as run
    from presheaf.audits.run import check_seed, check_target
    from presheaf.audits.verdict import exit_code

    check_target(arguments.target)
    check_seed(arguments.seed)
    check_outputs(arguments)
    if len(arguments.model) + (arguments.vectors is not None) < 2:
        raise InputError("a comparison needs at least two models; repeat --model, e.g. --model minilm --model tfidf.")
    task = _read(arguments)
    specs: list[str | None] = list(arguments.model)
    if arguments.vectors is not None:
        specs.append(None)
    models, failed = load_all(specs, task)
    if not agreed(models, task, arguments):
        return 0
    with Progress(arguments.quiet) as progress:
        result = run(
            models, task, target=arguments.target, prompts=prompts_of(arguments, task), seed=arguments.seed,
            cache=cache_of(arguments), progress=progress, failed=failed, why=not arguments.no_why,
            **_language(arguments),
        )  # fmt: skip
    show(result, arguments)
    return min(exit_code(a.verdict) for a in result.audits)


def compare_categories(arguments: Namespace) -> int:
    """`presheaf compare-categories`."""
    from presheaf.audits.categories import compare_categories as run
    from presheaf.audits.category_verdict import exit_code
    from presheaf.audits.run import check_seed, check_target

    check_target(arguments.target)
    check_seed(arguments.seed)
    check_outputs(arguments)
    specs: list[str | None] = list(arguments.model)
    if arguments.vectors is not None:
        specs.append(None)
    if len(specs) != 2:
        raise InputError(
            f"two models are compared, the original first; got {len(specs)}. Example: --model minilm --model minilm-int8."
        )
    task = _read(arguments)
    before, after = (load(spec, task) for spec in specs)
    for model in (before, after):
        check_rows(model, task)
    if not agreed([before, after], task, arguments):
        return 0
    with Progress(arguments.quiet) as progress:
        result = run(
            before, after, task, k=arguments.neighbours, calibrate=arguments.calibrate, target=arguments.target,
            prompts=prompts_of(arguments, task), seed=arguments.seed, cache=cache_of(arguments), progress=progress,
        )  # fmt: skip
    show(result, arguments)
    return exit_code(result)


def rows(arguments: Namespace) -> int:
    """`presheaf rows`."""
    from presheaf.audits.result import Audit, Comparison
    from presheaf.report import from_json, rows_csv, rows_text, write

    path = Path(arguments.file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"can't read {path}: {error}. Expected the JSON that `presheaf audit --json` writes."
        ) from None
    result = from_json(text)
    if not isinstance(result, Audit | Comparison):
        raise InputError(
            f"{path} holds no findings: it was written by compare-categories, whose JSON lists its rows itself."
        )
    if arguments.finding is None:
        if arguments.csv is not None:
            raise InputError("--csv needs --finding CODE: the rows of one finding are written.")
        print(_codes(result))
        return 0
    if arguments.csv is not None:
        write(arguments.csv, rows_csv(result, arguments.finding.upper()))
        print(f"wrote {arguments.csv}")
        return 0
    print(rows_text(result, arguments.finding.upper(), width=width()), end="")
    return 0


def _codes(result: Audit | Comparison) -> str:
    from presheaf.audits.result import Audit

    audits = [result] if isinstance(result, Audit) else list(result.audits)
    lines = [
        f"{f.code}  {len(f.rows):>6,} rows  {f.title}" + (f"  ({a.model.name})" if len(audits) > 1 else "")
        for a in audits
        for f in a.findings
        if f.status == "found" and f.rows
    ]
    return "\n".join(lines) if lines else "no finding has rows."


def models(arguments: Namespace) -> int:
    """`presheaf models`."""
    from presheaf.models import is_installed, named_models

    named = named_models()
    if arguments.json:
        from dataclasses import asdict

        print(json.dumps([{**asdict(m), "installed": is_installed(m)} for m in named], indent=2, ensure_ascii=False))
        return 0
    wide = max(len(m.name) for m in named)
    for m in named:
        have = "installed" if is_installed(m) else m.install
        size = f"{m.size_mb:,} MB" if m.size_mb else "no files"
        print(f"{m.name:<{wide}}  {m.summary}\n{'':<{wide}}  {size}, {m.licence}, {m.languages}; {have}")
    print(
        "\nAlso: hf:FOLDER or name, st:FOLDER or name, onnx:FILE, wordvec:FILE, vectors:FILE.npy,\n"
        "http://127.0.0.1:8080/v1#model (OpenAI-compatible /v1/embeddings).\n"
        "For images: trained:FOLDER (what presheaf train wrote; ?layer=embedding for what its loss saw), pixels?side=8,\n"
        "efficientnet-lite0?how=squash (the whole image, not its centre).\n"
        "Language models: lm:FOLDER or name (a causal model of transformers), gguf:FILE (both need presheaf[lm]),\n"
        "ngram:FILE.npz (NGramModel.save; needs nothing), lm:http://127.0.0.1:8080/v1#model (OpenAI-compatible\n"
        "/v1/completions with log-probabilities; ?chat=true for /v1/chat/completions).\n"
        "A LoRA adapter: smollm2?adapter=FOLDER or lm:FOLDER?adapter=FOLDER."
    )
    return 0


def _read(arguments: Namespace) -> Task:
    from presheaf.tables import read_task

    return read_task(
        arguments.table, text=arguments.text, image=arguments.image, label=arguments.label, vectors=arguments.vectors,
        on_bad_row=arguments.on_bad_row, encoding=arguments.encoding,
    )  # fmt: skip


def _language(arguments: Namespace) -> dict[str, Any]:
    """What concerns language models."""
    return {"shots": arguments.shots, "prompt_rows": arguments.prompt_rows, "tune": not arguments.no_tune,
            "fine_tune": arguments.fine_tune}  # fmt: skip
