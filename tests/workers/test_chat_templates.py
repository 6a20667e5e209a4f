"""Which chat templates can be seen not to grow, and that the others are rendered as transformers does."""

from __future__ import annotations

import pytest

from attention_gallery.workers.chat import cannot_grow, renderer

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
HARMLESS = (
    CHATML,
    "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}"
    "{% set first = messages[0]['content'] %}{% else %}"
    "{% set rest = messages %}{% set first = '' %}{% endif %}"
    "{% for message in rest %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}"
    "{{ bos_token + message['content'] | trim + eos_token }}{% endfor %}",
)
GROWING = {
    "nested ranges": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "one range": "{% for i in range(99999) %}{{ messages }}{% endfor %}",
    "doubling": "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubling a name": "{% set x = 'a' %}{% set x = x ~ x %}{% set x = x + x %}{{ x }}",
    "multiplied": "{{ 'a' * 99999999999 }}",
    "a power": "{{ 10 ** 10 ** 9 }}",
    "filled up": "{{ '%99999999999d' % 1 }}",
    "filled up by a name": "{% set f = '%99999999999d' %}{{ f % 1 }}",
    "formatted": "{{ '{:>99999999999}'.format(1) }}",
    "centred": "{{ 'a' | center(99999999999) }}",
    "a macro that calls itself": "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "recursive": "{% for x in messages recursive %}{{ loop(messages) }}{{ loop(messages) }}{% endfor %}",
    "messages by messages": "{% for a in messages %}{% for b in messages %}{{ b }}{% endfor %}{% endfor %}",
    "a block set": "{% set x %}{{ messages }}{{ messages }}{% endset %}{{ x }}",
    "joined": "{{ messages | join('a') }}",
    "replaced": "{{ messages[0].content.replace('', 'aaaa') }}",
    "not Jinja": "{% for",
    "much too long": CHATML + " " * 20_000,
}


@pytest.mark.parametrize("template", HARMLESS)
def test_ordinary_templates_are_seen_to_be_harmless(template):
    assert cannot_grow(template)


@pytest.mark.parametrize("name", GROWING)
def test_others_are_not(name):
    assert not cannot_grow(GROWING[name])


def test_rendering_is_that_of_transformers():
    render = renderer(CHATML, {"bos_token": "<s>"})
    said = render([{"role": "user", "content": "hi"}], {"add_generation_prompt": True})
    assert said == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    chat = [{"role": "user", "content": "hi"}]
    assert renderer("{{ bos_token }}{{ x }}", {"bos_token": "<s>"})(chat, {"x": "y"}) == "<s>y"
    with pytest.raises(Exception, match="never"):
        renderer("{{ raise_exception('never') }}", {})(chat, {})
