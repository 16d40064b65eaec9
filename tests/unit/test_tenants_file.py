from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from actors.errors import TenantsFileRefused
from actors.tenants_file import read_tenants_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "tenants.yaml"


def told(text: str) -> list[str]:
    with pytest.raises(TenantsFileRefused) as refused:
        read_tenants_file(dedent(text))
    return [str(problem) for problem in refused.value.problems]


def test_the_example_is_read() -> None:
    # When
    tenants = read_tenants_file(EXAMPLE)

    # Then
    assert len(tenants) == 7
    assert tenants["octo-org"].enabled
    assert tenants["octo-org"].workspaces["main"].team_id == "TD2EDA74A"
    assert tenants["octo-org"].channels["branch"].id == "C0D81D6DDD"
    assert tenants["octo-org"].templates["webhook"].blocks is not None


def test_an_alias_stands_for_a_whole_value() -> None:
    # Given
    text = """
        tenants:
          a: {templates: {hi: &hi {text: "{{ x }}"}}}
          b: {templates: {hi: *hi}}
        """

    # When
    tenants = read_tenants_file(dedent(text))

    # Then
    assert tenants["a"].templates == tenants["b"].templates


def test_what_is_wrong_at_an_alias_is_told_once() -> None:
    # Given
    text = """\
        tenants:
          a: {templates: {hi: &hi {text: "{{ x", blocks: 2024-01-01}}}
          b: {templates: {hi: *hi}}
        """

    # When
    problems = told(text)

    # Then
    hi = "tenants.a.templates.hi"
    assert [problem.partition(": is ")[0] for problem in problems] == [
        f"line 2, column 34: {hi}.text",
        f"line 2, column 50: {hi}.blocks",
    ]


def test_everything_is_told_at_once_in_the_order_of_lines() -> None:
    # Given
    text = """\
        tenants:
          acme:
            workspaces:
              main:
                team_id: T1
              bad code:
                team_id: 123
            channels:
              ops:
                workspace: nowhere
                id: X1
              no:
                workspace: main
                id: C2
            templates:
              hi:
                text: 'hello {{ name'
              yo:
                text: |

                  line one
                  {{ x|shout }}
                  {% include "x" %}
                blocks:
                  - type: section
                    text:
                      type: mrkdwn
                      verbatim: false
                      text: >-
                        {{ y.upper() }}
                  - text: a
              quoted:
                text: 'a

                  {{ b() }}'
              dated:
                text: 2024-01-01
          acme:
            enabled: true
          "b:c": {}
          other:
            enabled: "yes"
            color: red
            workspaces:
              w: {team_id: T1}
        extra: 1
        """

    # When
    problems = told(text)

    # Then
    acme = "tenants.acme"
    quoted = f"line 33, column 15: {acme}.templates.quoted.text"
    expected = [
        f"line 6, column 7: {acme}.workspaces.bad code: has a space at position 4",
        f"line 7, column 18: {acme}.workspaces.bad code.team_id: must be text, not a number",
        f'line 10, column 20: {acme}.channels.ops.workspace: channel "ops" names the work',
        f"line 11, column 13: {acme}.channels.ops.id: must be an id of Slack's",
        f'line 12, column 7: {acme}.channels: the name "no" is not text; write it in quotes',
        f"line 17, column 15: {acme}.templates.hi.text: is no valid template",
        f'line 22: {acme}.templates.yo.text: the filter "shout" is not available',
        f"line 23: {acme}.templates.yo.text: include is not available",
        f"line 28, column 25: {acme}.templates.yo.blocks[0].text.verbatim: cannot be false",
        f"line 29, column 21: {acme}.templates.yo.blocks[0].text.text: calls are not available",
        f"line 31, column 13: {acme}.templates.yo.blocks[1]: needs a type",
        f"{quoted}: calls are not available, filters are (in line 2 of the text)",
        f"line 37, column 15: {acme}.templates.dated.text: is a date; write it in quotes",
        f"line 38, column 3: {acme}: is given twice",
        'line 40, column 3: tenants.b:c: has ":" at position 2',
        "line 42, column 14: tenants.other.enabled: must be true or false, not text",
        "line 43, column 5: tenants.other.color: is not a known name here",
        'line 45, column 20: tenants.other.workspaces.w.team_id: belongs to the tenant "acme"',
        "line 46, column 1: extra: is not a known name here",
    ]
    assert [problem[: len(start)] for problem, start in zip(problems, expected, strict=True)] == (
        expected
    )


MULTIPLIED = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{step}: &a{step} [{','.join([f'*a{step - 1}'] * 10)}]\n" for step in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "tenants: is missing"),
        ("tenants:", "line 1, column 9: tenants: is missing"),
        ("tenants: [a]", "line 1, column 10: tenants: is missing"),
        ("tenants: {a: }", "line 1, column 14: tenants.a: must be an object of names and values"),
        ("tenants: {a: {channels: {x: }}}",
         "line 1, column 29: tenants.a.channels.x: must be an object of names and values"),
        ("tenants: {a: {channels: {x: {id: C1}}}}",
         "line 1, column 29: tenants.a.channels.x.workspace: is missing"),
        ("tenants: {a: {templates: {x: {text: ''}}}}",
         "line 1, column 37: tenants.a.templates.x.text: is empty"),
        ("tenants: {a: {templates: {x: {text: t, blocks: []}}}}",
         "line 1, column 48: tenants.a.templates.x.blocks: is empty"),
        ("tenants: {a: {templates: {x: {text: t, blocks: [y]}}}}",
         "line 1, column 49: tenants.a.templates.x.blocks[0]: must be an object of names and"),
        ("tenants: {a: {workspaces: {x: {team_id: 0123}}}}",
         "line 1, column 41: tenants.a.workspaces.x.team_id: must be text, not a number"),
        ("tenants: {1: {}}", 'line 1, column 11: tenants: the name "1" is not text'),
        ("tenants: {[a]: {}}", "line 1, column 11: tenants: the name before the colon is not"),
        ("tenants: {a: {<<: {enabled: true}}}", "line 1, column 15: tenants.a: merge keys (<<)"),
        ("tenants: {a: {enabled: .nan}}", "line 1, column 24: tenants.a.enabled: is a number that"),
        ("tenants: {a: {enabled: !!set x}}", "line 1, column 24: tenants.a.enabled: is tagged"),
        ("tenants: {a: {enabled: !!int x}}", "line 1, column 24: tenants.a.enabled: is no int"),
        ("tenants: !!python/object:os.system {}", "line 1, column 10: tenants: the tag tag:yaml"),
        ('tenants: {"a\\e[31m": {}}', "line 1, column 11: tenants.a\\x1b[31m: has a control"),
        ("tenants: &t\n  a: *t\n", "line 1, column 10: the value with this anchor holds itself"),
        (MULTIPLIED, "line 1, column 1: with its aliases written out the file has more than"),
        ("[" * 100_000, "line 1, column 41: nested more than 40 deep"),
        ("{a: " * 100_000, "line 1, column 161: nested more than 40 deep"),
        ("a: [1\nb: 2", "line 2, column 2: not YAML: while parsing a flow sequence, did not find"),
        ("tenants:\n\ta: 1", "line 2, column 1: not YAML: while scanning for the next token"),
        ("a: 1\n---\nb: 1", "line 2, column 1: not YAML: expected a single document"),
        ("a: *b", "line 1, column 4: not YAML: found undefined alias"),
        ("a: 1\nb: \x00", "line 2, column 4: not YAML: control characters are not allowed"),
        ("a: \ud800", "line 1, column 4: half of a surrogate pair"),
        ("#" * (16 * 1024 * 1024 + 1), "the file is longer than 16777216 characters"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_the_place(text: str, said: str) -> None:
    # When
    problems = told(text)

    # Then
    assert problems[0].startswith(said)
    assert len(problems) == 1


def test_a_team_may_have_two_workspace_codes_of_one_tenant() -> None:
    # When
    tenants = read_tenants_file("tenants: {a: {workspaces: {x: {team_id: T1}, y: {team_id: T1}}}}")

    # Then
    assert len(tenants["a"].workspaces) == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    # When / Then
    with pytest.raises(TenantsFileRefused, match="the file cannot be read: No such file"):
        read_tenants_file(tmp_path / "tenants.yaml")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    # Given
    path = tmp_path / "tenants.yaml"
    path.write_bytes(b"tenants: {\xff}")

    # When / Then
    with pytest.raises(TenantsFileRefused, match="the file is not UTF-8 at byte 11"):
        read_tenants_file(path)
