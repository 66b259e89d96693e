"""JMESPath: what is refused at load, what an expression reads, and that fractions stay exact."""

from decimal import Decimal

import pytest

from agent.definitions.expressions import Expression, ExpressionError


def search(source, value):
    return Expression(source).search(value)


class TestWhatIsRefused:
    def test_an_expression_of_500_characters_is_read_and_one_of_501_is_not(self):
        Expression("a" * 500)
        with pytest.raises(ExpressionError, match="501 characters"):
            Expression("a" * 501)

    def test_fifty_brackets_are_read_and_fifty_one_are_not(self):
        assert search("(" * 50 + "a" + ")" * 50, {"a": 1}) == 1
        with pytest.raises(ExpressionError, match="nests deeper"):
            Expression("(" * 51 + "a" + ")" * 51)

    @pytest.mark.parametrize(
        "source",
        ["(" * 3000 + "a" + ")" * 3000, "!" * 499 + "a", "|".join("a" * 200), "[*]" * 160, "[" * 240 + "a" + "]" * 240],
    )
    def test_a_nesting_bomb_is_an_expression_error(self, source):
        with pytest.raises(ExpressionError):
            Expression(source)

    @pytest.mark.parametrize("source", ["not_null(a, &b)", "to_array(&a)", "length(&a)", "[&a]", "sort_by(&a, b)"])
    def test_a_reference_stands_only_where_a_function_takes_one(self, source):
        with pytest.raises(ExpressionError, match="only before an argument"):
            Expression(source)

    def test_a_list_or_a_map_may_be_a_literal(self):
        assert search("data == `[]`", {"data": []}) is True
        assert search('data || `{"a": [1]}`', {}) == {"a": [1]}

    def test_copying_the_input_a_thousand_times_is_read_and_more_is_not(self):
        assert len(search("|".join(["[@,@]"] * 9), {"a": 1})) == 2  # 2 to the 9th is 512
        with pytest.raises(ExpressionError, match="copy"):
            Expression("|".join(["[@,@]"] * 10))

    @pytest.mark.parametrize(
        "source", ["|".join(["to_string([@])"] * 22), "map(&[@,@], @)|" * 10 + "@", "|".join(["{a: @, b: @}"] * 22)]
    )
    def test_every_way_to_multiply_the_input_counts(self, source):
        with pytest.raises(ExpressionError, match="copy"):
            Expression(source)

    @pytest.mark.parametrize(
        ("source", "why"),
        [
            ("", "not a JMESPath expression"),
            ("dta[", "not a JMESPath expression"),
            ("a b", "not a JMESPath expression"),
            ("`text`", "'text'"),
            ("status == 'active", "not a JMESPath expression"),
            ("contain(a, 'b')", "did you mean `contains`"),
            ("keys(a, b)", "takes 1 arguments, not 2"),
            ("not_null()", "at least 1"),
            ("&name", "only before an argument"),
            ("[&name]", "only before an argument"),
        ],
    )
    def test_a_mistake_is_explained(self, source, why):
        with pytest.raises(ExpressionError, match=why):
            Expression(source)


class TestWhatItReads:
    @pytest.mark.parametrize(
        ("source", "needs"),
        [
            ("name", (("name",),)),
            ("data.items[].id", (("data",),)),
            ("[].merge(@, {name: not_null(name, plugin)})", (("name", "plugin"),)),
            ("not_null(logs, [@][?type == 'log'])", (("logs", "type"),)),
            ("contains(['failed', 'error'], status)", (("status",),)),
            ("versions[-1].status == `4`", (("versions",),)),
            ("a && b", (("a",), ("b",))),
            ("a.x || b", (("a", "b"),)),
            ("sort_by(@, &created)", (("created",),)),
            ("data | [0].name", (("data",),)),
            ("[?kind == 'x'].name", (("name",), ("kind",))),
            ("@", ()),
            ("`1`", ()),
            ("!error", ()),
            ("count || `0`", ()),
            ("contains(keys(@), 'name')", ()),
            ("*.name", ()),
        ],
    )
    def test_the_identifiers_that_must_occur_are_told(self, source, needs):
        assert Expression(source).needs == needs

    def test_first_names_what_is_read_even_where_it_need_not_occur(self):
        assert Expression("!error || other").first == ("error", "other")

    def test_a_lone_member_is_plain(self):
        assert Expression("name").plain == "name"
        assert Expression("resource.name").plain is None
        assert Expression("@").plain is None


class TestWhatItYields:
    @pytest.mark.parametrize(
        "source", ["starts_with(event, 'x')", "sum(a)", "'a' < `1`", "[::0]", "contains('a', `5`)"]
    )
    def test_a_function_that_meets_a_wrong_type_yields_null(self, source):
        assert search(source, {"event": None, "a": "b"} if "event" in source or "a" in source else [1]) is None

    def test_fractions_are_decimals_in_and_out(self):
        prices = {"p": [Decimal("1.10"), 2, Decimal("0.3")]}
        assert search("sum(p)", prices) == Decimal("3.40")
        assert search("max(p)", prices) == 2
        assert search("sort(p)[0]", prices) == Decimal("0.3")
        assert search("sort_by(@, &a)[0].a", [{"a": Decimal("2.5")}, {"a": 1}]) == 1
        assert search("ceil(p[0])", prices) == 2
        assert search("avg(p)", {"p": [1, 2]}) == Decimal("1.5")
        assert search("type(p[0])", prices) == "number"
        assert search("to_string(p[0])", prices) == "1.10"
        assert search("p[0] == `1.1`", prices) is True
        assert isinstance(search("`1.5`", None), Decimal)

    @pytest.mark.parametrize(
        ("text", "number"),
        [("12", 12), ("-1.50", Decimal("-1.50")), ("1e3", Decimal("1e3")), ("1_000", None), (" 1", None)],
    )
    def test_to_number_reads_json_numbers_only(self, text, number):
        result = search("to_number(@)", text)
        assert result == number
        assert not isinstance(result, float)

    def test_a_condition_holds_by_the_truth_of_jmespath(self):
        assert not any(Expression("a").holds({"a": value}) for value in (None, False, "", [], {}))
        assert all(Expression("a").holds({"a": value}) for value in (0, "no", [0], {"b": None}, True))
        assert not Expression("a").holds({})

    def test_equal_sources_are_equal_expressions(self):
        assert Expression("a.b") == Expression("a.b")
        assert len({Expression("a.b"), Expression("a.b"), Expression("c")}) == 2
