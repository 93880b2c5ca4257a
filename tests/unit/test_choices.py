"""Import choices: where they come from, and what is wrong with them."""

from fractions import Fraction

import pytest

from simulator.errors import InputError
from simulator.network.choices import CHOICES, decimal, for_scope, load_choices, number, timestep_us, whole_numbers


def test_items_replace_the_sidecar(tmp_path):
    sidecar = tmp_path / "net.nir.import.yaml"
    sidecar.write_text("reset: zero\nfloor: -1\ndt_us: 500\n")
    assert load_choices([], sidecar) == {"reset": "zero", "floor": -1, "dt_us": 500}
    assert load_choices(["reset=subtract", "dt_ms = 1"], sidecar) == {"reset": "subtract", "floor": -1, "dt_ms": "1"}
    assert load_choices(["reset=zero"], tmp_path / "absent.yaml") == {"reset": "zero"}
    sidecar.write_text("")
    assert load_choices([], sidecar) == {}


@pytest.mark.parametrize(
    ("items", "text", "message"),
    [
        (["rest=zero"], "", "did you mean 'reset'"),
        (["reset"], "", "takes key=value"),
        (["reset="], "", "takes key=value"),
        (["reset=zero", "reset=subtract"], "", "given twice"),
        ([], "rest: zero", "did you mean 'reset'"),
        ([], "- reset", "expected a mapping"),
        ([], "reset: [zero]", "expected a single value"),
        ([], "reset: {a: b", "not valid YAML"),
        ([], "reset: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_refusals(tmp_path, items, text, message):
    sidecar = tmp_path / "s.yaml"
    sidecar.write_text(text)
    with pytest.raises(InputError, match=message):
        load_choices(items, sidecar)


def test_scopes_split_a_command_lines_choices():
    given = {"reset": "zero", "rounding": "floor", "dt_us": 1}
    assert for_scope(given, "network", file="f") == {"reset": "zero", "dt_us": 1}
    assert for_scope(given, "trace", file="f") == {"rounding": "floor", "dt_us": 1}
    with pytest.raises(InputError, match="did you mean 'rounding'"):
        for_scope({"roundin": 1}, "network", file="f")
    assert all(c.scope in ("network", "trace", "both") and c.options and c.meaning for c in CHOICES.values())


def test_numbers_are_exact_and_bounded():
    assert timestep_us({"dt_ms": "0.1"}, file="f") == 100
    assert timestep_us({"dt_s": "1e-4"}, file="f") == 100
    assert timestep_us({"dt_us": 2.5}, file="f") == Fraction(5, 2)
    assert number({"delay": " 3 "}, "delay", file="f") == 3 and number({"delay": 1e3}, "delay", file="f") == 1000
    assert whole_numbers({"reset_steps": "0, 17"}, "reset_steps", file="f") == [0, 17]
    assert whole_numbers({"reset_steps": 4}, "reset_steps", file="f") == [4]
    for value in ("1.5", "-1", "many", "1e999999999", "nan", True, None, "1" * 50):
        with pytest.raises(InputError):
            number({"delay": value}, "delay", file="f")
    for value in ("1e999999999", "1e-999999999", "inf", "1/3", "0x10", ""):
        with pytest.raises(InputError):
            decimal({"floor": value}, "floor", file="f")
    for given in ({"dt_us": 0}, {"dt_us": -1}, {"dt_us": 1, "dt_ms": 1}, {}):
        with pytest.raises(InputError):
            timestep_us(given, file="f")
